//! The families of features: how each is called, how freely the training may weigh it, and what a reason calls it.

/// A family of features that look at the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// How the post is built and how the provider stands in it.
    Shape,
    /// A staff signal, by whom it is said of.
    Signal,
    /// A staff signal with what stands around it.
    SignalCross,
    /// Kinds of talk: leaving, joining, having left.
    Talk,
    /// A kind of talk with another fact.
    TalkPair,
    /// Who is left and who is joined.
    Role,
    /// One word.
    Word,
    /// Two words in a row.
    Pair,
    /// Three words in a row.
    Triple,
    /// Words beside the provider.
    Near,
    /// Words of the provider's clause.
    Clause,
    /// Words beside another provider.
    OtherNear,
    /// The preposition before a name.
    Preposition,
    /// Words beside "you".
    You,
    /// Words after "not".
    Negation,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 15] = [
        Self::Shape,
        Self::Signal,
        Self::SignalCross,
        Self::Talk,
        Self::TalkPair,
        Self::Role,
        Self::Word,
        Self::Pair,
        Self::Triple,
        Self::Near,
        Self::Clause,
        Self::OtherNear,
        Self::Preposition,
        Self::You,
        Self::Negation,
    ];

    /// What model files call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shape => "shape",
            Self::Signal => "signal",
            Self::SignalCross => "signal_with",
            Self::Talk => "talk",
            Self::TalkPair => "talk_with",
            Self::Role => "role",
            Self::Word => "word",
            Self::Pair => "pair",
            Self::Triple => "triple",
            Self::Near => "near",
            Self::Clause => "clause",
            Self::OtherNear => "other_near",
            Self::Preposition => "tie",
            Self::You => "you",
            Self::Negation => "not",
        }
    }

    /// The family of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }

    /// How large its values look to the training: the larger, the cheaper a weight. Rare and plentiful
    /// features are kept on a short lead. Chosen by cross-validation over coarse steps.
    pub const fn scale(self) -> f64 {
        match self {
            Self::Signal => 1.0,
            Self::Talk | Self::Role => 0.7,
            Self::Shape | Self::TalkPair => 0.5,
            Self::SignalCross | Self::Preposition => 0.4,
            Self::Near | Self::You => 0.3,
            Self::Word | Self::OtherNear => 0.25,
            Self::Pair | Self::Clause | Self::Negation => 0.2,
            Self::Triple => 0.15,
        }
    }

    /// The scale for telling complaint from not, which rests on wording rather than on who is named.
    pub const fn complaint_scale(self) -> f64 {
        match self {
            Self::Word | Self::You => 0.4,
            Self::Pair => 0.35,
            Self::Triple => 0.2,
            other => other.scale(),
        }
    }

    /// What a reason calls it: alike families are told as one.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Shape => "model.shape",
            Self::Signal | Self::SignalCross => "model.signals",
            Self::Talk | Self::TalkPair | Self::Role => "model.direction",
            Self::Word | Self::Pair | Self::Triple => "model.wording",
            Self::Near | Self::Clause | Self::OtherNear | Self::Preposition => "model.beside_name",
            Self::You => "model.said_to_them",
            Self::Negation => "model.negation",
        }
    }
}
