package archive_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paynorm/paynorm/services/normalizer/archive"
)

type record struct {
	Kind    archive.Kind
	Content string
}

var records = []record{{archive.Key, "key"}, {archive.Commit, "one"}, {archive.Commit, strings.Repeat("two", 1000)}, {archive.Commit, ""}}

func write(t testing.TB, h archive.Header, records []record) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := archive.NewWriter(&b, h)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := w.Write(r.Kind, []byte(r.Content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(data []byte) (h archive.Header, records []record, err error) {
	r, err := archive.NewReader(bytes.NewReader(data))
	if err != nil {
		return h, nil, err
	}
	for {
		kind, content, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Header(), records, nil
		}
		if err != nil {
			return r.Header(), records, err
		}
		records = append(records, record{kind, string(content)})
	}
}

var whole = archive.Header{First: 7, Last: 9, Anchor: "ab", Time: "2026-01-02T03:04:05Z"}

func TestBackupReadsAsItWasWritten(t *testing.T) {
	h, got, err := read(write(t, whole, records))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(records, got); diff != "" {
		t.Error(diff)
	}
	want := whole
	want.Version = archive.Version
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error(diff)
	}
}

func TestEachFlippedByteIsNoticed(t *testing.T) {
	data := write(t, whole, records)
	for i := range data {
		data[i] ^= 1
		if _, _, err := read(data); !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("byte %d: got %v, want ErrInvalid", i, err)
		}
		data[i] ^= 1
	}
}

func TestEachTruncationIsNoticed(t *testing.T) {
	data := write(t, whole, records)
	for i := range data {
		if _, _, err := read(data[:i]); !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("cut at byte %d: got %v, want ErrInvalid", i, err)
		}
	}
}

func TestInvalidBackupSaysWhy(t *testing.T) {
	data := write(t, whole, records)
	newer := bytes.Replace(data, []byte(`"version":1`), []byte(`"version":2`), 1)
	tests := map[string]struct {
		data []byte
		want string
	}{
		"other file":      {[]byte("PK\x03\x04 something else"), "no backup of paynorm"},
		"newer version":   {newer, "version 2"},
		"cut":             {data[:len(data)-100], "ends too early"},
		"more behind it":  {append(bytes.Clone(data), 'x'), "behind its end"},
		"too few commits": {write(t, whole, records[:2]), "1 commits"},
		"no commits":      {write(t, archive.Header{First: 5, Last: 3}, nil), "makes no sense"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := read(tt.data)
			if !errors.Is(err, archive.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrInvalid with %q", err, tt.want)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(write(f, whole, records))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, records, err := read(data)
		if err != nil {
			return
		}
		if _, err := json.Marshal(h); err != nil || h.Last-h.First+1 > int64(len(records)) {
			t.Errorf("%v with %d records was taken as whole (%v)", h, len(records), err)
		}
	})
}
