package rpc

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/normalizer/drift"
	"github.com/paynorm/paynorm/services/normalizer/providers"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

func TestEachClassOfErrorsHasItsStatus(t *testing.T) {
	reasons := map[string]bool{}
	for _, c := range classes() {
		t.Run(c.reason, func(t *testing.T) {
			if reasons[c.reason] {
				t.Error("the reason stands for two classes")
			}
			reasons[c.reason] = true
			if c.reason == "" || c.reason != strings.ToUpper(c.reason) || c.message == "" {
				t.Errorf("reason %q, message %q", c.reason, c.message)
			}
			err := toStatus(fmt.Errorf("the cause: %w", fmt.Errorf("%w: more of it", c.is)))
			s := status.Convert(err)
			if s.Code() != c.code || s.Message() != c.message {
				t.Errorf("status is %s %q, want %s %q", s.Code(), s.Message(), c.code, c.message)
			}
			info, retry := "", false
			for _, d := range s.Details() {
				switch d := d.(type) {
				case *errdetails.ErrorInfo:
					info = d.GetDomain() + " " + d.GetReason()
				case *errdetails.RetryInfo:
					retry = d.GetRetryDelay().AsDuration() == retryDelay
				}
			}
			if info != Domain+" "+c.reason || retry != c.retry {
				t.Errorf("details are %q and retry %t, want reason %s and retry %t", info, retry, c.reason, c.retry)
			}
			if (s.Code() == codes.Unavailable) != c.retry && c.code != codes.DeadlineExceeded {
				t.Error("UNAVAILABLE and a delay for the next try belong together")
			}
		})
	}
}

// declared is the public list of reasons, without their prefix.
func declared() map[string]bool {
	all := map[string]bool{}
	for name, number := range normalizerv1.ErrorReason_value {
		if number != 0 {
			all[strings.TrimPrefix(name, "ERROR_REASON_")] = true
		}
	}
	return all
}

func TestEveryReasonIsDeclared(t *testing.T) {
	known := declared()
	reasons := []string{"INVALID_FIELD", "INTERNAL", "PERMISSION_DENIED"}
	for _, c := range classes() {
		reasons = append(reasons, c.reason)
	}
	for _, r := range reasons {
		if !known[r] {
			t.Errorf("reason %s is not in the enum ErrorReason", r)
		}
	}
}

// The comment of a reason begins with the code that it is sent with, so that the
// proto tells all of it.
func TestEveryReasonIsDocumentedWithItsCode(t *testing.T) {
	proto, err := os.ReadFile("../../../proto/paynorm/normalizer/v1/error_reason.proto")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]string{} // code by reason
	var comment string
	for line := range strings.Lines(string(proto)) {
		line = strings.TrimSpace(line)
		if text, ok := strings.CutPrefix(line, "// "); ok {
			comment += text
			continue
		}
		if name, ok := strings.CutPrefix(line, "ERROR_REASON_"); ok {
			name, _, _ = strings.Cut(name, " ")
			written[name], _, _ = strings.Cut(comment, ":")
		}
		comment = ""
	}
	for reason := range declared() {
		var code codes.Code
		if err := code.UnmarshalJSON([]byte(`"` + strings.Replace(written[reason], "CANCELED", "CANCELLED", 1) + `"`)); err != nil {
			t.Errorf("the comment of %s does not begin with a status code: %v", reason, err)
		}
	}
	for _, c := range classes() {
		var code codes.Code
		if err := code.UnmarshalJSON([]byte(`"` + strings.Replace(written[c.reason], "CANCELED", "CANCELLED", 1) + `"`)); err != nil || code != c.code {
			t.Errorf("%s is sent with %s, and documented with %q", c.reason, c.code, written[c.reason])
		}
	}
}

func TestWhatNoClassCoversDoesNotShowItsCause(t *testing.T) {
	for _, err := range []error{
		errors.New("password 12345"),
		fmt.Errorf("call somebody: %w", status.Error(codes.NotFound, "password 12345")),
	} {
		s := status.Convert(toStatus(err))
		if s.Code() != codes.Internal || strings.Contains(s.String(), "12345") {
			t.Errorf("%v becomes %v", err, s)
		}
	}
	if err := toStatus(nil); err != nil {
		t.Errorf("no error becomes %v", err)
	}
	own := invalidField("filter", "unknown field")
	if got := toStatus(own); got != own { //nolint:errorlint // the very error
		t.Errorf("rpc's own status becomes %v", got)
	}
}

func TestPageTokensAreBoundToTheirRequest(t *testing.T) {
	const method, filter, cursor = "ListEvents", "provider = clip", 1<<40 + 7
	token := nextPage(method, filter, cursor)
	if got, err := pageStart(method, filter, token); err != nil || got != cursor {
		t.Errorf("the token reads %d, %v, want %d", got, err, int64(cursor))
	}
	if strings.ContainsAny(token, "+/=%") {
		t.Errorf("token %q needs escaping in a URL", token)
	}
	for name, read := range map[string]func() (int64, error){
		"another method": func() (int64, error) { return pageStart("ListPayments", filter, token) },
		"another filter": func() (int64, error) { return pageStart(method, filter+" ", token) },
		"shortened":      func() (int64, error) { return pageStart(method, filter, token[1:]) },
		"lengthened":     func() (int64, error) { return pageStart(method, filter, token+"A") },
	} {
		if got, err := read(); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %d, %v, want INVALID_ARGUMENT", name, got, err)
		}
	}
	for i := range token {
		changed := []byte(token)
		if changed[i]++; changed[i] == ':' || changed[i] == '[' || changed[i] == '{' {
			changed[i] = 'A'
		}
		if got, err := pageStart(method, filter, string(changed)); status.Code(err) != codes.InvalidArgument {
			t.Errorf("with character %d changed: %d, %v, want INVALID_ARGUMENT", i, got, err)
		}
	}
}

func TestATokenThatWasMadeUpStaysInTheList(t *testing.T) {
	s := NewProviders(providers.All(), drift.NewBook())
	for _, start := range []int64{-1, 1 << 20, math.MinInt64, math.MaxInt64} {
		if _, err := s.ListProviders(t.Context(), &normalizerv1.ListProvidersRequest{PageToken: nextPage("ListProviders", "", start)}); err != nil {
			t.Errorf("from %d on: %v", start, err)
		}
	}
}

func TestViewThatIsBeingFilledIsWorthAnotherTry(t *testing.T) {
	got := status.Convert(toStatus(fmt.Errorf("list events: %w", view.ErrFilling)))
	if want := status.Convert(toStatus(errUnreadable)); !proto.Equal(got.Proto(), want.Proto()) {
		t.Errorf("status is %v, want %v", got, want)
	}
}
