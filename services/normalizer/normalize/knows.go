package normalize

// Knows says whether there is an adapter for provider.
func (n *Normalizer) Knows(provider string) bool {
	_, ok := n.adapters[provider]
	return ok
}
