"""How the page looks: Gradio's default theme with the system's own fonts; the rest is page.css."""

import gradio as gr

_SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


def theme() -> gr.themes.Base:
    """The theme; no font or file of it is fetched from elsewhere."""
    return gr.themes.Default(font=_SANS, font_mono=_MONO, primary_hue="teal", neutral_hue="slate")
