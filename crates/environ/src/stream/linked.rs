//! From what is linked to the artifact, the same for modules and components: written, reported, proved if asked for.

use crate::output::artifact::{self, Artifact, Source};
use crate::output::image::Image;
use crate::report::Report;
use crate::settings::Settings;
use crate::verify;
use crate::work::worker::Totals;
use lightbeam_verify::layout::Trampolines;
use std::time::{Duration, Instant};

/// Code that is linked, and what it was made of.
pub(super) struct Linked<'a> {
    pub(super) image: Image,
    pub(super) source: Source<'a>,
    /// Of a component, what its own functions are for.
    pub(super) trampolines: Option<Trampolines>,
    pub(super) wasm_bytes: usize,
    /// When linking began.
    pub(super) start: Instant,
}

impl<'a> Linked<'a> {
    /// Writes the artifact, says in the report what it took and gave, and proves it if the settings ask for that.
    pub(super) fn conclude(
        self,
        settings: &Settings,
        totals: &Totals,
        mut report: Report,
    ) -> wasmtime_environ::error::Result<(Artifact<'a>, Report)> {
        report.wasm_bytes = self.wasm_bytes;
        report.body_bytes = totals.body_bytes;
        report.text_bytes = self.image.text.len();
        report.code_bytes = totals.code_bytes;
        report.counters = totals.counters;
        // Of several threads' time, as much as passed while they worked side by side.
        let share = report.phases.compile.as_secs_f64() / totals.busy.as_secs_f64().max(1e-9);
        report.phases.survey = totals.survey.mul_f64(share.min(1.));
        report.phases.emit = totals.emit.mul_f64(share.min(1.));
        report.phases.adapters = totals.adapters.mul_f64(share.min(1.));
        let artifact = artifact::write(settings, self.source, self.image)?;
        report.artifact_bytes = artifact.len();
        report.phases.link = self.start.elapsed();
        report.phases.load = Duration::ZERO;
        if !settings.verify {
            return Ok((artifact, report));
        }
        let start = Instant::now();
        let bytes = artifact.into_bytes()?;
        report.verified = Some(verify::prove(settings, &bytes, self.trampolines.as_ref())?);
        report.phases.verify = start.elapsed();
        Ok((Artifact::of_bytes(bytes), report))
    }
}
