"""The command `retention`: one file a group of commands; what they do stands elsewhere."""
