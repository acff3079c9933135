//! Text within markup.

/// The text, to stand between tags or within a quoted attribute of HTML or XML. Control characters, which XML
/// cannot hold, become the replacement character.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(char),
            char if char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            char => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_gets_out_of_text_or_attribute() {
        assert_eq!(
            escape("<b a='1' b=\"2\">&amp;</b>"),
            "&lt;b a=&#39;1&#39; b=&quot;2&quot;&gt;&amp;amp;&lt;/b&gt;"
        );
        assert_eq!(escape("a\u{0}b\nc\u{7f}"), "a\u{fffd}b\nc\u{fffd}");
    }
}
