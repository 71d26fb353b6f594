"""How each family of models is loaded and run; imported only where a model is run."""
