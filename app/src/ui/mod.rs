//! The design system: components that know no domain. Looks are in `style/components.css`.

pub mod button;
pub mod chip;
pub mod choice;
pub mod copy;
pub mod dialog;
pub mod dom;
pub mod events;
pub mod field;
pub mod form;
pub mod format;
pub mod icon;
pub mod kv;
pub mod menu;
pub mod note;
pub mod pane;
pub mod states;
pub mod table;
pub mod tabs;
pub mod toast;

pub use button::{Button, ButtonKind, LinkButton};
pub use chip::{Chip, Tag, Tone};
pub use choice::{ChoiceCards, ChoiceOption, Segmented};
pub use copy::CopyButton;
pub use dialog::{ConfirmDialog, Dialog};
pub use field::{CheckField, Field, FieldHint, SecretField, SelectField, TextAreaField, TextField};
pub use form::{FormFoot, FormSection, Steps};
pub use icon::Icon;
pub use kv::{Fact, KeyValue};
pub use menu::Menu;
pub use note::Note;
pub use pane::{PageHead, Pane};
pub use states::{EmptyState, Load, ProblemView, Skeleton};
pub use table::{Sort, SortHead};
pub use tabs::{Tab, Tabs};
pub use toast::toast;
