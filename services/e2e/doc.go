// Package e2e drives whole cases over the public API: in one process on both engines, and over a fleet of processes.
package e2e
