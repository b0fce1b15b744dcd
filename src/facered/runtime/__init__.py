"""What everything runs on: threads side by side, processors, profiles, files that appear whole."""
