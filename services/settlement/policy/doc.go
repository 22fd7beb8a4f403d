// Package policy holds what provinces decide, as versioned documents: the policies of insured provinces (参保地政策), the
// catalogues of treatment provinces (就医地目录), and what a transplant typically costs.
//
// Invariants: a document is read whole and strictly, or refused with the line that is wrong; bands cover every amount
// once, ratios lie within 0..10000 basis points, caps are written or said to be none; of one province at most one
// document is in force on a day. Nothing in code knows a province: how provinces differ is in the documents alone.
package policy
