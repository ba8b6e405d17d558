package sandbox

// megabytes is the most memory seen, rounded up, as REPORT shows it.
func (m *memory) megabytes() int { return int((m.most + 1<<20 - 1) >> 20) }
