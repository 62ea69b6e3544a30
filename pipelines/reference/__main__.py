"""Write the reference pages: ``python -m pipelines.reference``."""

from pipelines.reference.pages import pages

if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
