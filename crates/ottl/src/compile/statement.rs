//! Statements: the editor, its arguments, and when it is called.

use super::{Compiler, Needs, Paths, did_you_mean};
use crate::{
    editors::{self, Editor},
    error::SyntaxError,
    path::Context,
    statement::Compiled,
    syntax::{self, tree},
};
use otlp::Keys;

/// Compiles a statement.
pub(crate) fn compile_statement(
    text: &str,
    context: Context,
    paths: Paths,
    keys: &mut Keys,
) -> Result<Compiled, Vec<SyntaxError>> {
    let tree = syntax::parse_statement(text).map_err(|error| vec![error])?;
    let errors = Vec::new();
    let mut compiler = Compiler { text, context, paths, is_statement: true, keys, needs: Needs::default(), errors };
    match compiler.statement(&tree) {
        Some(compiled) if compiler.errors.is_empty() => Ok(compiled),
        _ => Err(compiler.errors),
    }
}

impl Compiler<'_> {
    fn statement(&mut self, tree: &tree::Statement) -> Option<Compiled> {
        let editor = self.editor(&tree.editor);
        let condition = tree.condition.as_ref().map(|node| self.test(node));
        let (run, arguments) = editor?;
        let condition = match condition {
            Some(test) => Some(test?),
            None => None,
        };
        Some(Compiled { condition, arguments, run, is_random: self.needs.at_verdict })
    }

    fn editor(&mut self, call: &tree::Call) -> Option<(crate::edit::Run, crate::functions::Arguments)> {
        let is_known = |editor: &&Editor| editor.is_known_to(self.context);
        let Some(editor) = editors::find(&call.name).filter(is_known) else {
            let known = editors::TABLES.iter().copied().flatten().filter(is_known).map(|editor| editor.name);
            let suggestion = settings::suggest(&call.name, known);
            let message = match editors::UNSUPPORTED.contains(&call.name.as_str()) {
                true => format!("the editor `{}` is not supported", call.name),
                false => format!("unknown editor `{}`{}", call.name, did_you_mean(suggestion)),
            };
            return self.fail(&call.name_at, &message);
        };
        let arguments = self.arguments(call, editor.params)?;
        match (editor.prepare)(&arguments) {
            Ok(run) => Some((run, arguments)),
            Err(message) => self.fail(&call.name_at, &message),
        }
    }
}
