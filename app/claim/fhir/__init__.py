"""A sealed claim package as a FHIR R4B bundle: an export beside the native JSON, which stays what counts."""
