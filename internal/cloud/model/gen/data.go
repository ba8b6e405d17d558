//go:build data

package main

// Keeps the module whose models the generator, and tests of the wire, read as data among the requirements.
import _ "github.com/aws/aws-sdk-go/aws"
