// Package settlement settles one bill between the province that treats, the province that insures, and the patient.
//
// The rule is 就医地目录、参保地政策、就医地管理: the treatment province's catalogue says what is payable, the insured
// province's policy says who pays it, the treatment province's agency watches the hospital. An instance serves the
// provinces of its configuration and plays either part; the parts meet over InsuredPlaceService only, also when one
// instance plays both. Policies, counters and funds never leave the insured province; the split does.
//
// Invariants:
//   - What the payers pay sums to the bill's total, for every settlement ever made (package split).
//   - A claim is settled at most once at a time. The intent, the claim SETTLING with its message id, is committed before
//     the insured province hears of it; whatever is lost afterwards is asked again under the same message id, which the
//     insured province commits once or closes for ever.
//   - Counters, postings and the message commit together; a reversal restores all of them.
//   - Every posting belongs to a balanced entry and none is ever changed (package ledger).
//   - Where the insured province refuses for good, or no catalogue is in force, the claim falls back to MANUAL with the
//     reason and its papers complete.
//   - A caller learns of a record only what its part is: a center of its own claims, a referrer of its cases, an agency of
//     its own province; anything else is answered as if it did not exist.
package settlement
