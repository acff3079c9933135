//! Objectives by name.

use electra_config::{ObjectiveInfo, UnknownObjective};
#[cfg(feature = "torch")]
use electra_objective::Spec;
use electra_objective::{electra, mlm};

use crate::{
    all_tokens_mlm, clm, coco_clm, electra_15, electra_gdes, electra_shuffled, electric, gpt_bert,
    permutation_lm, replace_mlm, rtd_fixed,
};

/// Makes both lists, so that they name the same.
macro_rules! objectives {
    ($($file:ident: $info:ident, $spec:ident;)*) => {
        /// What is known of every objective that the program knows: the paper's five in the order of Table 5, then others of
        /// the field, then the controls.
        pub const INFOS: &[&ObjectiveInfo] = &[$(&$file::$info),*];

        /// The same with their networks.
        #[cfg(feature = "torch")]
        pub const OBJECTIVES: &[&Spec] = &[$(&$file::$spec),*];
    };
}

// An objective that is to be compared with these is one file and one line here.
objectives! {
    mlm: INFO, SPEC;
    replace_mlm: INFO, SPEC;
    electra_15: INFO, SPEC;
    all_tokens_mlm: INFO, SPEC;
    electra: INFO, SPEC;
    clm: INFO, SPEC;
    permutation_lm: INFO, SPEC;
    gpt_bert: INFO, SPEC;
    electric: INFO, SPEC;
    rtd_fixed: INFO_RTS, SPEC_RTS;
    coco_clm: INFO, SPEC;
    electra_gdes: INFO, SPEC;
    mlm: INFO_85_15, SPEC_85_15;
    all_tokens_mlm: INFO_NO_GATE, SPEC_NO_GATE;
    rtd_fixed: INFO_UNIGRAM, SPEC_UNIGRAM;
    rtd_fixed: INFO_UNIFORM, SPEC_UNIFORM;
    electra_shuffled: INFO, SPEC;
    electra_shuffled: INFO_ALL, SPEC_ALL;
}

/// What is known of the objective of a name.
///
/// # Errors
/// [`UnknownObjective`].
pub fn info(name: &str) -> Result<&'static ObjectiveInfo, UnknownObjective> {
    let found = INFOS.iter().find(|info| info.name == name);
    found.copied().ok_or_else(|| UnknownObjective {
        name: name.to_owned(),
        known: INFOS.iter().map(|info| info.name).collect(),
    })
}

/// The objective of a name.
///
/// # Errors
/// [`UnknownObjective`].
#[cfg(feature = "torch")]
pub fn objective(name: &str) -> Result<&'static Spec, UnknownObjective> {
    let name = info(name)?.name;
    Ok(OBJECTIVES.iter().find(|spec| spec.info.name == name).expect("the lists name the same objectives"))
}
