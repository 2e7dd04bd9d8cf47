//! What the keys do: as a page for everybody, as a dialog where the script runs.

use maud::{Markup, html};

/// Keys and what they press.
const KEYS: [(&str, &str); 20] = [
    ("j  k", "next, previous lead (also the arrows, and ] [ while reading)"),
    ("Enter  o", "open the lead"),
    ("u  Esc", "back to the list"),
    ("r", "write the reply"),
    ("1  2  3", "choose a draft"),
    ("a", "approve"),
    ("Ctrl + Enter", "approve from inside the reply"),
    ("d, then 1 to 9", "dismiss, with the reason"),
    ("h", "snooze"),
    ("c", "claim or release"),
    ("n", "write a note"),
    ("m", "never contact this author"),
    ("v", "open the original post in a new tab"),
    ("x", "select (Shift + x: up to here; * then a: all on this page)"),
    ("z", "undo the last decision"),
    (".", "show leads that came in meanwhile"),
    ("/", "search"),
    ("g, then q m s w i r a t", "go to queue, mine, snoozed, watch list, insights, rules, audit, team"),
    ("Ctrl + K", "command bar"),
    ("?", "this help"),
];

/// The list of keys.
pub fn keys() -> Markup {
    html! { dl.keys { @for (key, what) in KEYS { div { dt { kbd { (key) } } dd { (what) } } } } }
}

/// The dialog behind `?`.
pub fn dialog() -> Markup {
    html! {
        dialog #help aria-labelledby="help-title" {
            form.stack method="dialog" data-plain {
                div.inline.ends { h2 #help-title { "Keys" } button { "Close" kbd { "Esc" } } }
                (keys())
                p.soft { "Each key presses a button you can see. Turn single keys off in the menu at the top right." }
            }
        }
    }
}

/// The page for browsers without the script.
pub fn page() -> Markup {
    html! {
        h1 { "Help" }
        section.card.stack { h2 { "Keys" } (keys()) }
        section.card.stack {
            h2 { "What the desk does" }
            p { "Each lead is one public post in which somebody says they are about to leave a rival. The marked words are the reasons; "
                "their points add up to the score. Nothing is ever sent without your approval." }
            p { "After you approve, nothing happens until the undo time is over. Where the network does not allow us to send, "
                "you copy the reply, open the post and say whether you posted it." }
            p { "A red check says why we must stay out. Approve stays off until it is gone." }
        }
    }
}
