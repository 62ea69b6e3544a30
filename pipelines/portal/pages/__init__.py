"""The portal's pages: templates, the words and pictures in them, and the routes that fill them."""
