// Package patient registers the people of the line.
//
// The rules:
//   - One person once: an identity number is registered at most one time, whatever the race; and the same name, birth
//     date and phone together count as the same person. A second registration is answered with the live record's id where
//     the caller may see it, and with nothing but the fact where not.
//   - Nobody reads whom they must not: a record is seen by the organisation that registered it, by organisations a case
//     has given access, and by operations. A foreign record and an absent one get the same answer.
//   - Identity number, name, phone and guardian are stored encrypted; they are found again through a keyed blind index.
//   - A consent covers one purpose. Withdrawing it counts from then on; what was done under it stays on record.
//   - Clinical data are versions: a new one never overwrites an old one, and a missing datum is named with what it blocks.
//
// Invariant: no method of this package returns, logs or reports an identity number except masked.
package patient
