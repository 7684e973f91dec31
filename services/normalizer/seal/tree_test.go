package seal

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"
)

// leafKey derives from the root without anything in between, to compare with.
func leafKey(root [keySize]byte, leaf uint32) [keySize]byte {
	var w walker
	key, _ := w.dataKey(newTree(root), leaf)
	return key
}

// check compares what t gives for leaf with what it must.
func check(t *testing.T, tr tree, w *walker, root [keySize]byte, leaf uint32, forgotten map[uint32]bool) {
	t.Helper()
	got, ok := w.dataKey(tr, leaf)
	if ok == forgotten[leaf] {
		t.Fatalf("leaf %d: there %t, forgotten %t", leaf, ok, forgotten[leaf])
	}
	if ok && got != leafKey(root, leaf) {
		t.Fatalf("leaf %d has another key than before", leaf)
	}
}

func TestPuncturingLeavesTheOthers(t *testing.T) {
	root := [keySize]byte{1, 2, 3}
	random := rand.New(rand.NewPCG(1, 2))
	tr, forgotten := newTree(root), map[uint32]bool{}
	leaves := []uint32{0, 1, 1<<32 - 1, 1<<32 - 2, 1 << 31, 1<<31 - 1}
	for range 200 {
		leaves = append(leaves, random.Uint32(), random.Uint32N(4096))
	}
	for _, leaf := range leaves {
		before := len(tr)
		next, ok := tr.punctured(leaf)
		if ok == forgotten[leaf] {
			t.Fatalf("leaf %d: punctured %t, but forgotten before %t", leaf, ok, forgotten[leaf])
		}
		if grown := len(next) - before; grown > maxDepth-1 {
			t.Fatalf("grew by %d nodes", grown)
		}
		tr, forgotten[leaf] = next, true
	}
	stored, err := proto.Marshal(tr.message())
	if err != nil {
		t.Fatal(err)
	}
	m := tr.message()
	m.Reset()
	if err := proto.Unmarshal(stored, m); err != nil {
		t.Fatal(err)
	}
	if tr, err = readTree(m); err != nil {
		t.Fatal(err)
	}
	var w walker
	for _, leaf := range leaves {
		check(t, tr, &w, root, leaf, forgotten)
		check(t, tr, &w, root, leaf+1, forgotten)
		check(t, tr, &w, root, leaf-1, forgotten)
	}
	for range 500 {
		check(t, tr, &w, root, random.Uint32(), forgotten)
		check(t, tr, &w, root, random.Uint32N(4096), forgotten)
	}
}

func FuzzPuncture(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255}, uint32(2))
	f.Fuzz(func(t *testing.T, data []byte, probe uint32) {
		root := [keySize]byte{9}
		tr, forgotten := newTree(root), map[uint32]bool{}
		var w walker
		for ; len(data) >= 4 && len(forgotten) < 200; data = data[4:] {
			leaf := binary.BigEndian.Uint32(data)
			tr, _ = tr.punctured(leaf)
			forgotten[leaf] = true
			w = walker{}
			check(t, tr, &w, root, leaf, forgotten)
			check(t, tr, &w, root, leaf^1, forgotten)
			check(t, tr, &w, root, probe, forgotten)
		}
		if _, err := readTree(tr.message()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestMalformedTreeIsRefused(t *testing.T) {
	tr, _ := newTree([keySize]byte{1}).punctured(77)
	for name, change := range map[string]func(starts, depths *[]uint32, keys *[]byte){
		"key missing":       func(_, _ *[]uint32, keys *[]byte) { *keys = (*keys)[1:] },
		"depth missing":     func(_, depths *[]uint32, _ *[]byte) { *depths = (*depths)[1:] },
		"too deep":          func(_, depths *[]uint32, _ *[]byte) { (*depths)[3] = 33 },
		"overlap":           func(_, depths *[]uint32, _ *[]byte) { (*depths)[0] = 0 },
		"out of order":      func(starts, _ *[]uint32, _ *[]byte) { (*starts)[0] = 1 << 30 },
		"start not a begin": func(starts, _ *[]uint32, _ *[]byte) { (*starts)[31]++ },
	} {
		m := tr.message()
		change(&m.Starts, &m.Depths, &m.Keys)
		if _, err := readTree(m); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
