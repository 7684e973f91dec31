package view

// LimitMemory makes parts of v's memory go to the table when it has more than n keys.
func (v *View) LimitMemory(n int) { v.memory.limit = n }

// InMemory returns how many keys are in memory.
func (v *View) InMemory() (n int) {
	for i := range v.memory.parts {
		n += len(v.memory.parts[i].keys)
	}
	return n
}

// FieldText reads a text of an encoded event.
var FieldText = fieldText
