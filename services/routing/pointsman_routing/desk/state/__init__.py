"""What a desk knows, and how a decision edits it. It knows no rule."""
