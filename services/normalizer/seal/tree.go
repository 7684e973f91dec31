package seal

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"math/bits"
	"slices"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
)

const (
	keySize  = 32
	maxDepth = 32 // of a leaf; there are 2^32
)

// node is the key from which all leaves below it can be derived. Its first leaf is start.
type node struct {
	start uint32
	depth uint8
	key   [keySize]byte
}

// covers says whether leaf is below n.
func (n node) covers(leaf uint32) bool { return common(n.start, leaf) >= int(n.depth) }

// common returns how many steps from the root two leaves share.
func common(a, b uint32) int { return bits.LeadingZeros32(a ^ b) }

// side returns which child leads from depth to leaf: 0 or 1.
func side(leaf uint32, depth int) uint32 { return leaf >> (maxDepth - 1 - depth) & 1 }

// child derives the left (0) or right (1) key below key: the function of Goldreich, Goldwasser
// and Micali. Neither a parent nor a sibling can be found from a child.
func child(key *[keySize]byte, side uint32) [keySize]byte {
	var in [len(childDomain) + 1 + keySize]byte
	copy(in[:], childDomain)
	in[len(childDomain)] = byte(side)
	copy(in[len(childDomain)+1:], key[:])
	return sha256.Sum256(in[:])
}

// The domains keep apart what is hashed for different ends.
const (
	childDomain = "paynorm.seal.child"
	dataDomain  = "paynorm.seal.data"
)

// tree is what is left of an epoch's keys: disjoint nodes in rising order of their
// leaves. It is never changed, only replaced.
type tree []node

func newTree(root [keySize]byte) tree { return tree{{key: root}} }

// whole says whether every leaf can be derived.
func (t tree) whole() bool { return len(t) == 1 && t[0].depth == 0 }

// find returns the index of the node that covers leaf; ok is false when none does.
func (t tree) find(leaf uint32) (i int, ok bool) {
	i, exact := slices.BinarySearchFunc(t, leaf, func(n node, leaf uint32) int { return cmp.Compare(n.start, leaf) })
	if !exact {
		i--
	}
	return i, i >= 0 && t[i].covers(leaf)
}

// punctured returns t without the key of leaf, and whether it was there.
func (t tree) punctured(leaf uint32) (tree, bool) {
	i, ok := t.find(leaf)
	if !ok {
		return t, false
	}
	n := t[i]
	var left, right []node // of the path, from the top
	key := n.key
	for depth := int(n.depth); depth < maxDepth; depth++ {
		s := side(leaf, depth)
		other := node{
			start: (leaf>>(maxDepth-1-depth) ^ 1) << (maxDepth - 1 - depth),
			depth: uint8(depth + 1), key: child(&key, 1-s),
		}
		if s == 0 {
			right = append(right, other)
		} else {
			left = append(left, other)
		}
		key = child(&key, s)
	}
	slices.Reverse(right)
	next := slices.Concat(t[:i], left, right, t[i+1:])
	return next, true
}

// walker derives leaves and keeps the keys on the way to the last one, so that
// neighbors cost two hashes instead of 32.
type walker struct {
	used bool
	leaf uint32
	from int // the depth of the highest key that is kept
	path [maxDepth + 1][keySize]byte
}

// dataKey returns the key that encrypts the delivery at leaf; ok is false when it was forgotten.
func (w *walker) dataKey(t tree, leaf uint32) (key [keySize]byte, ok bool) {
	i, ok := t.find(leaf)
	if !ok {
		return key, false
	}
	depth := int(t[i].depth)
	if shared := common(w.leaf, leaf); w.used && w.from == depth && shared >= depth {
		depth = shared
	} else {
		w.from = depth
		w.path[depth] = t[i].key
	}
	for ; depth < maxDepth; depth++ {
		w.path[depth+1] = child(&w.path[depth], side(leaf, depth))
	}
	w.leaf, w.used = leaf, true
	var in [len(dataDomain) + keySize]byte
	copy(in[:], dataDomain)
	copy(in[len(dataDomain):], w.path[maxDepth][:])
	return sha256.Sum256(in[:]), true
}

var errTree = errors.New("the tree of keys is malformed")

// message returns t as it is stored.
func (t tree) message() *ledgerv1.KeyTree {
	m := &ledgerv1.KeyTree{Starts: make([]uint32, len(t)), Depths: make([]uint32, len(t)), Keys: make([]byte, 0, len(t)*keySize)}
	for i, n := range t {
		m.Starts[i], m.Depths[i] = n.start, uint32(n.depth)
		m.Keys = append(m.Keys, n.key[:]...)
	}
	return m
}

func readTree(m *ledgerv1.KeyTree) (tree, error) {
	n := len(m.GetStarts())
	if len(m.GetDepths()) != n || len(m.GetKeys()) != n*keySize {
		return nil, errTree
	}
	t := make(tree, n)
	end := uint64(0) // of the leaves below the nodes so far
	for i := range t {
		depth := m.GetDepths()[i]
		if depth > maxDepth || uint64(m.GetStarts()[i]) < end {
			return nil, errTree
		}
		width := uint64(1) << (maxDepth - depth)
		if uint64(m.GetStarts()[i])%width != 0 {
			return nil, errTree
		}
		end = uint64(m.GetStarts()[i]) + width
		t[i] = node{start: m.GetStarts()[i], depth: uint8(depth), key: [keySize]byte(m.GetKeys()[i*keySize:])}
	}
	return t, nil
}
