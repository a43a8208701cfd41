use k8s_openapi::api::core::v1::Namespace;

use super::Admit;

impl Admit for Namespace {
    fn set_defaults(&mut self) {
        let labels = self.metadata.labels.get_or_insert_default();
        let name = self.metadata.name.clone().unwrap_or_default();
        labels.insert("kubernetes.io/metadata.name".to_owned(), name);
        let finalizers = self.spec.get_or_insert_default();
        finalizers.finalizers.get_or_insert_with(|| vec!["kubernetes".to_owned()]);
        let status = self.status.get_or_insert_default();
        let phase = if self.metadata.deletion_timestamp.is_some() { "Terminating" } else { "Active" };
        status.phase = Some(phase.to_owned());
    }

    /// Until its objects are gone.
    fn lingers(&self) -> bool {
        self.spec.as_ref().is_some_and(|spec| spec.finalizers.as_ref().is_some_and(|all| !all.is_empty()))
    }
}
