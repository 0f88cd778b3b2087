//! Help texts in the layouts of real programs.
