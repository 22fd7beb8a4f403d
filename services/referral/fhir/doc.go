// Package fhir writes a case as HL7 FHIR R4 and reads a referral that another system wrote (数据交换).
//
// It is a pure mapping: what is exported was gathered with the caller's rights before, what is imported is carried out
// after. docs/fhir.md has the table.
//
// Invariants: what a Bundle says of a case is exact or absent: amounts are decimals made of integer fen, a masked value is
// told as masked and never put in the place of a real one. An import takes an element as it is meant or not at all: what
// may change a resource's meaning and is not understood refuses the whole, what is merely not kept is listed by its
// FHIRPath. No refusal repeats a value that could name a person or a disease. Render and Take are inverse.
package fhir
