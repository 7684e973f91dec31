package providertest

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func checkDescriptor(t *testing.T, s Suite, _ []testCase) {
	d := s.Adapter.Describe()
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`).MatchString(d.ID) {
		t.Errorf("ID %q cannot stand in a path and a subject", d.ID)
	}
	if d.Title == "" || d.RetryPolicy == "" || !strings.HasPrefix(d.Documentation, "https://") {
		t.Errorf("title, retry policy and an https documentation are required: %q, %q, %q", d.Title, d.RetryPolicy, d.Documentation)
	}
	if ack := d.Acknowledgement; ack.Status < 200 || ack.Status > 299 || (ack.Body != "") != (ack.ContentType != "") || ack.Status == 204 && ack.Body != "" {
		t.Errorf("acknowledgement %+v: want 2xx, a content type with a body, and no body with 204", ack)
	}
	if d.Summary == "" || len(d.Setup) == 0 || d.Endpoint == "" || d.Rotation == "" || d.Timeout == "" {
		t.Error("summary, setup, endpoint, rotation and timeout are required")
	}
	for _, g := range d.Gaps {
		if g.Text == "" || g.Source == "" {
			t.Errorf("gap %+v: text and source are required", g)
		}
	}
	if len(d.Schemes) == 0 || d.MappingVersion < 1 {
		t.Errorf("want at least one scheme and a mapping version from 1: %v, %d", d.Schemes, d.MappingVersion)
	}
	if !reflect.DeepEqual(d, s.Adapter.Describe()) {
		t.Error("two descriptions differ")
	}
	for _, name := range s.SignedHeaders {
		if name != strings.ToLower(name) {
			t.Errorf("signed header %q: want lower case", name)
		}
	}
}
