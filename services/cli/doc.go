// Package cli is the command line of coordinators, centers and operations (命令行).
//
// Invariants: what a person may do is the line's to say: the commands for it are made of the published contract, none knows a
// rule of its own. A change is sent under one request id, again and again while the line is away, so that it happens once.
// A token goes to the address it was made for and nowhere else. Output for programs (--json) is what the REST API answers.
package cli
