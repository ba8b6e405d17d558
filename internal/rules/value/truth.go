package value

// Truth is an answer that may not be known yet. Of two, And is the lesser and Or the greater: min and max.
type Truth uint8

// The answers, in their order.
const (
	No Truth = iota
	Unknown
	Yes
)

// TruthOf turns a known answer into a Truth.
func TruthOf(b bool) Truth {
	if b {
		return Yes
	}
	return No
}

// Not is the opposite; what is unknown stays so.
func (t Truth) Not() Truth { return Yes - t }
