//! A small check of markup, enough for what the report writes: balanced tags, quoted attributes, known entities,
//! unique ids, nothing from elsewhere.

use std::collections::BTreeSet;

const VOID: [&str; 5] = ["meta", "br", "link", "img", "hr"];

/// Panics with the place if the text is not well formed.
pub(crate) fn check(text: &str) {
    let mut open: Vec<String> = Vec::new();
    let mut ids = BTreeSet::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        check_text(&rest[..start], open.last().is_some_and(|tag| tag == "style"));
        let end = rest[start..]
            .find('>')
            .map(|end| start + end)
            .unwrap_or_else(|| panic!("no end: {}", near(&rest[start..])));
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if tag == "!DOCTYPE html" {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "before: {}", near(rest));
            continue;
        }
        let (name, attributes) =
            tag.trim_end_matches('/').split_once([' ', '\n']).unwrap_or((tag.trim_end_matches('/'), ""));
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric()), "tag {name:?}");
        for (attribute, value) in attributes_of(attributes) {
            if attribute == "id" {
                assert!(ids.insert(value.to_owned()), "id {value} twice");
            }
            assert!(
                !attribute.starts_with("on") && !["src", "srcset"].contains(&attribute.as_str()),
                "{attribute}={value:?}"
            );
            assert!(attribute != "href" || value.starts_with('#'), "{attribute}={value:?}");
        }
        assert!(name != "script" && name != "link", "<{name}>");
        if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name.into());
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
    for reference in
        text.split("aria-labelledby=\"").skip(1).flat_map(|rest| rest.split('"').next().unwrap().split(' '))
    {
        assert!(ids.contains(reference), "no element has the id {reference}");
    }
}

fn near(text: &str) -> String {
    text.chars().take(120).collect()
}

fn check_text(text: &str, is_style: bool) {
    assert!(is_style || !text.contains('>'), "a stray > in {}", near(text));
    for after in text.split('&').skip(1) {
        let entity = after.split(';').next().unwrap();
        assert!(["amp", "lt", "gt", "quot", "#39"].contains(&entity), "a stray & before {}", near(after));
    }
}

fn attributes_of(mut text: &str) -> Vec<(String, &str)> {
    let mut attributes = Vec::new();
    loop {
        text = text.trim_start();
        if text.is_empty() {
            return attributes;
        }
        let (name, after) = text.split_once("=\"").unwrap_or_else(|| panic!("no quoted value: {text}"));
        let (value, after) = after.split_once('"').unwrap_or_else(|| panic!("no closing quote: {text}"));
        check_text(value, false);
        attributes.push((name.to_owned(), value));
        text = after;
    }
}

/// Panics if a number is not finite, or if anything would be fetched.
pub(crate) fn check_content(text: &str) {
    for bad in [
        "NaN", ">inf", "-inf", "∞", " inf ", "http://", "https://", "@import", "url(", "//cdn", "None",
        "Some(",
    ] {
        let text = text.replace("http://www.w3.org/2000/svg", "");
        assert!(
            !text.contains(bad),
            "{bad:?} near {}",
            near(&text[text.find(bad).unwrap_or(0).saturating_sub(60)..])
        );
    }
}

#[test]
fn the_check_finds_what_is_wrong() {
    check("<!DOCTYPE html><p id=\"a\">x &amp; y</p><meta charset=\"utf-8\"><svg><path d=\"M0\"/></svg>");
    for wrong in [
        "<p>",
        "<p></b>",
        "<p a=b></p>",
        "<p>&nbsp</p>",
        "<i id=\"a\"></i><b id=\"a\"></b>",
        "<script></script>",
        "<p onclick=\"x\"></p>",
        "<a href=\"//x\"></a>",
    ] {
        assert!(std::panic::catch_unwind(|| check(wrong)).is_err(), "{wrong}");
    }
    assert!(std::panic::catch_unwind(|| check_content("<td>NaN</td>")).is_err());
}
