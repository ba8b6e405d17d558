// Package model answers: what operations and shapes do AWS's APIs have, and how do they look on the wire?
//
// It is a set of tables, generated from AWS's published models and committed: operations with their HTTP bindings, shapes
// with their members, names in JSON and XML, constraints, and errors with their status. One text file a service, in tables/,
// parsed when [Load] first asks for that service; until then only the index of [Services] exists. What values an
// enumeration has is not here: the Go SDK's own types say that.
//
// A table's records are lines:
//
//	o Name METHOD /uri status Input Output [host prefix]      an operation; "-" is no shape
//	s Name …, e Name …, u Name …                              a structure, an error, a union; its members follow
//	l Name …, m Name …                                        a list, a map; its member, or key and value, follow
//	v Name base …                                             a simple shape with constraints
//	<tab>member Target …                                      a member
//
// where … are traits and, last, constraints (min, max, pat). A target is a shape's name, a base type (string, number,
// boolean, blob, stream, timestamp, document), or [base and {base for a plain list and map of that.
package model

//go:generate go run ./gen
