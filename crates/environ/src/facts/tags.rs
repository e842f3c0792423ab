//! What exceptions of a tag look like, and how tags are told apart.

use crate::error::Unsupported;
use crate::facts::gc;
use crate::facts::layout::{offset, type_id};
use crate::settings::Settings;
use lightbeam_compiler::facts::{ExceptionFacts, Owner, TagFact, Where};
use wasmtime_environ::{Module, ModuleTypesBuilder, TagIndex, VMOffsets};

/// What exceptions have in common, or what is missing for them.
pub(crate) fn facts(settings: &Settings) -> Result<ExceptionFacts, Unsupported> {
    let layouts = gc::layouts(settings)?;
    Ok(ExceptionFacts {
        instance: offset(layouts.exception_tag_instance_offset()),
        tag: offset(layouts.exception_tag_defined_offset()),
    })
}

/// Describes a tag.
pub(crate) fn tag(
    settings: &Settings,
    module: &Module,
    types: &ModuleTypesBuilder,
    offsets: &VMOffsets<u8>,
    index: TagIndex,
    sig: u32,
) -> Result<TagFact, Unsupported> {
    let ty = module.tags[index].exception.unwrap_module_type_index();
    let (owner, identity) = match module.defined_tag_index(index) {
        Some(defined) => (Owner::Here(defined.as_u32()), Where::Ctx(offset(offsets.vmctx_vmtag_definition(defined)))),
        None => {
            let context = offset(offsets.vmctx_vmtag_import_vmctx(index));
            let pointer = offset(offsets.vmctx_vmtag_import_from(index));
            (
                Owner::Import { context, index: offset(offsets.vmctx_vmtag_import_index(index)) },
                Where::Through { pointer, disp: 0 },
            )
        }
    };
    let object = match gc::object(settings, &types[ty]) {
        // The tag may be for suspending alone.
        Err(_) if settings.features.stack_switching() => None,
        object => Some(object?.expect("the exceptions of a tag are of an exception type")),
    };
    Ok(TagFact { owner, type_id: type_id(ty), object, sig, identity })
}
