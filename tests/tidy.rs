//! Keeps the map honest: what ARCHITECTURE.md, the manifests and the house style say is what the tree is.
