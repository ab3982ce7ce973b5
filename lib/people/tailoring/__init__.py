"""The Imaginator: suggestions for one application, each with the sentence of the résumé that proves it."""
