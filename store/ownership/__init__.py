"""Rules of who pays, in versions, and whom they make pay."""
