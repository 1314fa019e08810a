"""How the results database came to its present schema, one revision a file; ``workbench.store.upgrading`` runs them."""
