"""streaming: popular and personalised titles from watch history."""
