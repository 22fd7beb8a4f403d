// Package sampleline drives the sample case of the line through its public REST API, from registration to the one bill,
// exactly as a coordinator's, a desk's and a center's own programs would. Every person and institution in it is invented (示范).
package sampleline
