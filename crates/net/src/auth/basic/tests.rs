//! Hashes that other programs made (`openssl passwd`, libxcrypt), and what the server makes of headers.

use super::settings::tests::read;
use super::*;

const HORSE: &str = "correct horse";
const LONG: &str = "a password that is longer than the sixty-four bytes of a digest, to see it stretched";

/// The hash of one password takes it and no other.
fn check(hash: &str, password: &str) {
    let users = Users::read(&format!("them:{hash}"));
    assert!(users.matches("them", password), "{hash}");
    for wrong in [&format!("{password}x"), "", &password.to_uppercase()] {
        assert!(wrong == password || !users.matches("them", wrong), "{hash} takes `{wrong}`");
    }
    assert!(!users.matches("other", password), "{hash}");
}

#[test]
fn every_kind_of_hash_is_verified() {
    check("$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2", HORSE);
    check("$2b$04$......................zGba3rUzo6RobFnEbJ3ZOnvxLsnfNBK", "pässword");
    check("$apr1$saltsalt$EGVZDNN6gOqijy.tv9axG/", HORSE);
    check("$apr1$ab$2AViYtCrOwG81vjtLDlBI0", HORSE);
    check("$apr1$abcdefgh$AaK/FVm2z4lOI9DSq69901", "a password that is longer than sixteen bytes");
    check("$apr1$saltsalt$a8ml/vK5HEjiZ5oypDWA7/", "");
    check("$1$xyz$VlPelr.7s56Oe59bia2BU.", HORSE);
    check("$5$saltstring$vc6YOOogU4kWVvwga8e9zTFgKcy4tb5LaPxIiPJzqEC", HORSE);
    check(
        "$6$saltstring$.r0X7ub5wGR2v4Xz7svCIozfnlorFh19V89t8KC9Umd81uGhFgsyTRNyzQDXDIm17fFcR9z3z7oBNdsyYBbtm/",
        HORSE,
    );
    check("$5$rounds=1400$anotherlongsalts$hwseYpHStoBDk6.enofDamH8WvPu49aTRmVpEcnSFc1", LONG);
    check(
        "$6$rounds=1400$anotherlongsalts$dUcrR7.tJDgsBrK49A5ktF/vK4lxqirmQ01BlYB.3upHHdMdRwm6hVzV8TBESCAdU9Y.vWE/NCobGMNRYQE.3/",
        LONG,
    );
    check("{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=", HORSE);
    check("{SSHA}LhKrkM9Fy+zlstjdD7Kv2s6QvhBzYWx0", HORSE);
    check("correct horse", HORSE);
    check("with:colon", "with:colon");
}

#[test]
fn seventy_two_bytes_of_a_password_count_for_bcrypt() {
    let users = Users::read("them:$2a$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i");
    assert!(users.matches("them", &"x".repeat(80)) && users.matches("them", &"x".repeat(72)));
    assert!(!users.matches("them", &"x".repeat(71)));
}

#[test]
fn a_broken_hash_is_never_a_password() {
    for hash in [
        "$2y$05$short",
        "$2y$31$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2",
        "$2y$05$!bcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2",
        "$apr1$nohash",
        "$6$rounds=99999999$salt$hash",
        "{SHA}AAAA",
        "{SHA}not base64",
    ] {
        let users = Users::read(&format!("them:{hash}"));
        assert!(!users.matches("them", hash), "{hash}");
    }
}

#[test]
fn lines_are_read_as_apache_writes_them() {
    let users = Users::read("# people\n\n  a:one \nno colon\na:two\nb:three\r\n");
    assert!(users.matches("a", "two") && !users.matches("a", "one") && users.matches("b", "three"));
    assert_eq!(users.quick("nobody", "x"), Match::No);
    let costly = Users::read("a:plain\nb:$apr1$ab$2AViYtCrOwG81vjtLDlBI0");
    assert_eq!(costly.quick("a", "plain"), Match::Yes);
    assert_eq!(costly.quick("b", HORSE), Match::Costly);
    assert_eq!(costly.quick("nobody", HORSE), Match::Costly, "an unknown name takes as long as a known one");
}

fn basic(name: &str, password: &str) -> HeaderMap {
    authorization(&format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))
}

fn authorization(value: &str) -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(value).unwrap())])
}

#[tokio::test]
async fn headers_are_read_as_browsers_write_them() {
    let server = read("htpasswd: {inline: 'them:a:b'}").unwrap().server().unwrap().unwrap();
    let encoded = STANDARD.encode("them:a:b");
    for right in [format!("Basic {encoded}"), format!("bASIC {encoded}")] {
        assert!(server.check(&authorization(&right)).await.is_ok(), "{right}");
    }
    for wrong in [
        String::new(),
        "Basic".to_owned(),
        "Basic ".to_owned(),
        format!("Bearer {encoded}"),
        format!("Basic  {encoded}"),
        format!("Basic {}", encoded.trim_end_matches('=').trim_end()) + "!",
        format!("Basic {}", STANDARD.encode("them")),
        format!("Basic {}", STANDARD.encode("them:a")),
        format!("Basic {}", STANDARD.encode([b"them:a:b".as_slice(), &[0xff]].concat())),
        format!("Basic {}", STANDARD.encode(format!("them:{}", "x".repeat(PASSWORD_BYTES_MAX + 1)))),
    ] {
        assert_eq!(server.check(&authorization(&wrong)).await, Err(Denied::Credentials), "{wrong}");
    }
    assert_eq!(server.check(&HeaderMap::new()).await, Err(Denied::Credentials));
    assert_eq!(server.challenge().unwrap(), "Basic realm=\"otlp\"");
}

#[tokio::test]
async fn a_costly_check_is_made_once_and_guesses_are_bounded() {
    let users = Arc::new(Users::read("them:$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"));
    let server = Arc::new(BasicServer::new(UserSource::Fixed(Arc::clone(&users))));
    assert!(server.verify(&basic("them", HORSE)).await.is_ok());
    // From here on nobody gets a turn.
    let turns = Arc::clone(&server.checks).acquire_many_owned(CHECKS_MAX as u32).await.unwrap();
    assert!(server.verify(&basic("them", HORSE)).await.is_ok(), "it is remembered");
    let guesses: Vec<_> = (0..WAITING_MAX)
        .map(|number| {
            let server = Arc::clone(&server);
            tokio::spawn(async move { server.verify(&basic("them", &number.to_string())).await })
        })
        .collect();
    while server.waiting.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.verify(&basic("them", "one more")).await, Err(Denied::Busy));
    drop(turns);
    for guess in guesses {
        assert_eq!(guess.await.unwrap(), Err(Denied::Credentials));
    }
    assert_eq!(server.verify(&basic("them", "one more")).await, Err(Denied::Credentials));
}

#[tokio::test]
async fn a_file_is_read_again_and_what_stands_in_place_wins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("htpasswd");
    std::fs::write(&path, "a:one\nb:two").unwrap();
    let yaml = format!("htpasswd: {{file: {}, inline: 'b:three'}}", path.display());
    let settings = read(&yaml).unwrap();
    let server = settings.server().unwrap().unwrap();
    let identity = server.check(&basic("a", "one")).await.unwrap().unwrap();
    assert_eq!(identity.attribute("username").as_deref(), Some("a"));
    assert!(server.check(&basic("b", "three")).await.is_ok());
    assert_eq!(server.check(&basic("b", "two")).await, Err(Denied::Credentials));
    assert!(settings.client().unwrap().is_none());
    std::fs::remove_file(&path).unwrap();
    assert!(read(&yaml).unwrap().server().unwrap_err().contains("htpasswd"));
}

#[tokio::test]
async fn a_client_brings_what_a_server_takes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, " correct horse\n").unwrap();
    for password in ["password: correct horse".to_owned(), format!("password_file: {}", path.display())] {
        let settings = read(&format!("client_auth: {{username: them, {password}}}")).unwrap();
        assert!(settings.server().unwrap().is_none());
        let headers = settings.client().unwrap().unwrap().headers().await.unwrap();
        assert_eq!(headers, [(AUTHORIZATION, basic("them", HORSE)[AUTHORIZATION].clone())]);
        assert!(headers[0].1.is_sensitive());
    }
}
