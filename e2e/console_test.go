package e2e

import (
	"crypto/sha256"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// consoleSite has an endpoint of Clip, and one of SingleView that expects webhooks
// for another account than SV0001.
func consoleSite(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	s := newSite(t, nil)
	s.values["endpoints"] = []map[string]any{clipEndpoint(t, dir, "acme"), singleviewEndpoint(t, dir, "SV9999")}
	s.write(t)
	return s
}

// singleviewEndpoint is an endpoint that expects webhooks for account.
func singleviewEndpoint(t *testing.T, dir, account string) map[string]any {
	t.Helper()
	return map[string]any{
		"provider": "singleview", "merchant": "acme", "mode": "live", "expect_accounts": []string{account},
		"auth": []any{map[string]any{"url_token": map[string]any{"secret": secretFile(t, dir, "singleview-token", "singleview-token-of-the-e2e-tests")}}},
	}
}

// send plays a provider.
func (s *site) send(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), programs(t).paynorm, append([]string{"send", "--config", s.config}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestConsoleFollowsEventsAndFindsPayments(t *testing.T) {
	s := consoleSite(t)
	s.serve(t)
	b := newBrowser(t)

	b.open(s.http + "/console")
	b.shows(".empty", "No events yet")
	b.shows(".state", "Live")
	s.accepted(t, "acme", clipBody("p1", "CREATED", 1))
	b.shows("tbody tr:first-child", "pending", "p1", "clip · acme", "applied")
	s.accepted(t, "acme", clipBody("p1", "COMPLETED", 2))
	b.shows("tbody tr:first-child", "paid", "p1")
	s.accepted(t, "acme", clipBody("p2", "CREATED", 3))
	b.shows("tbody tr:first-child", "pending", "p2")
	b.wait("document.querySelectorAll('tbody tr').length === 3")
	b.shows("#announcer", "new event")

	// What arrives while it is paused waits.
	b.click("button", "Pause")
	s.accepted(t, "acme", clipBody("p2", "EXPIRED", 4))
	b.shows(".filters", "1 new while paused")
	b.must("document.querySelectorAll('tbody tr').length === 3")
	b.click("button", "Resume")
	b.shows("tbody tr:first-child", "expired", "p2")

	// A search by reference leads to the payment, and its address works alone.
	b.press("/")
	b.press("order-p1" + kb.Enter)
	for range 2 {
		b.wait("/^#.payments.p[a-v0-9]{32}$/.test(location.hash)")
		b.shows("h1", "p1")
		b.shows(".summary", "paid", "order-p1")
		b.shows(".timeline li:nth-child(1)", "pending")
		b.shows(".timeline li:nth-child(2)", "pending", "→", "paid", "url_token")
		address, err := b.eval("location.href")
		if err != nil {
			t.Fatal(err)
		}
		b.open(strings.Trim(address, `"`))
	}
	b.view("/payments?q=p2")
	b.shows("h1", "p2")
	b.view("/payments?q=nobody")
	b.shows(".empty", "Nothing found")
	b.view("/payments?payment_status=PAID")
	b.wait("document.querySelectorAll('tbody tr').length === 1")
	b.view("/payments/p00000000000000000000000000000000")
	b.shows(".trouble", "Not found", "HTTP 404")
	b.view("/live?filter=colour = \"red\"")
	b.shows(".trouble", "colour", "HTTP 400")
	b.view("/providers/clip")
	b.shows("tbody tr", "CHECKOUT COMPLETED", "paid")
	b.view("/endpoints")
	b.shows(".card", "clip · acme", "url_token-1", "receiving")
	b.shows(".card", "singleview · acme", "nothing yet")
}

func TestConsoleShowsTheQuarantine(t *testing.T) {
	s := consoleSite(t)
	s.serve(t)
	sender := newSite(t, []map[string]any{singleviewEndpoint(t, t.TempDir(), "SV0001")})
	sender.send(t, "--provider", "singleview", "--payment", "sv1", "--url", s.http)
	s.projected(t)
	b := newBrowser(t)
	b.open(s.http + "/console#/quarantine")
	b.shows("tbody tr", "account mismatch", "singleview · acme")
	b.click("tbody button", "Reprocess")
	b.shows("dialog", "Nothing would change")
	b.press(kb.Escape)
	b.wait("!document.querySelector('dialog')")

	// The content is shown on demand, as text.
	b.click("tbody a", "d")
	b.shows("h1", "Delivery d")
	b.must("!document.querySelector('pre')")
	b.click("button", "Show the content")
	b.shows("pre", "POST /webhooks/singleview/acme?token=REDACTED")
	b.shows("pre", `"companyCode": "SV0001"`)

	b.view("/quarantine?quarantine_reason=ACCOUNT_MISMATCH")
	b.click("button", "Reprocess all that match")
	b.shows("dialog", "Nothing would change", "1 delivery was looked at")
	b.press(kb.Escape)
	b.view("/quarantine?quarantine_reason=UNMAPPED")
	b.shows(".empty", "Nothing is quarantined", "matches these conditions")
	b.view("/deliveries")
	b.shows("tbody tr", "account mismatch", "singleview · acme")
}

func TestConsoleIsUsableByKeyboardAndOnAPhone(t *testing.T) {
	s := consoleSite(t)
	s.serve(t)
	for i := range 5 {
		s.accepted(t, "acme", clipBody(fmt.Sprint("p", i), "COMPLETED", i))
	}
	s.accepted(t, "acme", clipBody("a-payment-with-quite-a-long-name-0123456789", "COMPLETED", 6))
	s.accepted(t, "acme", clipBody("p9", "TELEPORTED", 7))
	s.projected(t)
	b := newBrowser(t)
	b.open(s.http + "/console#/payments")
	b.wait("document.querySelectorAll('tbody tr').length === 6")
	b.press(kb.Tab)
	b.must("document.activeElement.className === 'skip'")
	b.press(kb.Enter)
	b.must("document.activeElement.id === 'main'")
	for range 5 { // four conditions, then the one row that Tab reaches
		b.press(kb.Tab)
	}
	b.must("document.activeElement.matches('tr:first-child .row-link')")
	b.press(kb.ArrowDown + kb.ArrowDown)
	b.must("document.activeElement.matches('tr:nth-child(3) .row-link')")
	b.press(kb.End)
	b.must("document.activeElement.matches('tr:last-child .row-link')")
	b.press(kb.Home)
	b.must("document.activeElement.matches('tr:first-child .row-link') && document.querySelectorAll('.row-link[tabindex=\"0\"]').length === 1")
	b.press(kb.Enter)
	b.shows("h1", "a-payment-with-quite-a-long-name-0123456789")
	b.must("document.activeElement.tagName === 'H1'")
	b.press("?")
	b.shows("dialog", "Search")
	b.press(kb.Escape)
	b.wait("!document.querySelector('dialog')")
	b.press("/")
	b.must("document.activeElement.id === 'search'")
	b.press("x" + kb.Escape)
	b.must("document.activeElement.id !== 'search'")

	b.size(360, 740)
	for _, view := range []string{"/live", "/payments", "/quarantine", "/deliveries", "/endpoints", "/providers", "/providers/aci-opp", "/payments?q=p4", "/deliveries/d1-0", "/payments/pnone"} {
		b.view(view)
		b.fits(view)
	}
	b.view("/quarantine")
	b.click("tbody button", "Reprocess")
	b.shows("dialog", "Nothing would change")
	b.fits("the dialog")
}

func TestConsoleSaysWhenTheServerIsAway(t *testing.T) {
	s := consoleSite(t)
	p := s.serve(t)
	b := newBrowser(t)
	b.open(s.http + "/console")
	b.shows(".state", "Live")
	p.stop(t)
	b.shows(".state", "No connection")
	s.serve(t)
	b.shows(".state", "Live")
	s.accepted(t, "acme", clipBody("p1", "CREATED", 1))
	b.shows("tbody tr", "p1")
}

func TestConsoleUsesTheTokenOfItsTab(t *testing.T) {
	s := consoleSite(t)
	token := func(id, secret string, scopes ...string) map[string]any {
		return map[string]any{"id": id, "sha256": fmt.Sprintf("%x", sha256.Sum256([]byte(secret))), "merchants": []string{"*"}, "scopes": scopes}
	}
	s.values["access"] = map[string]any{"tokens": []any{token("reader", "token-of-a-reader", "events"), token("support", "token-of-support", "events", "deliveries")}}
	s.write(t)
	s.serve(t)
	s.accepted(t, "acme", clipBody("p1", "COMPLETED", 1))
	b := newBrowser(t)
	b.open(s.http + "/console")
	b.shows(".trouble", "Sign in", "HTTP 401")
	b.click("button", "Enter a token")
	b.must("document.activeElement.id === 'token'")
	b.press("token-of-a-reader" + kb.Enter)
	b.shows(".state", "Live")
	b.shows("tbody tr", "p1")
	s.accepted(t, "acme", clipBody("p2", "COMPLETED", 2))
	b.shows("tbody tr", "p2")
	b.must("!location.href.includes('token-of') && sessionStorage.length === 1 && localStorage.length === 0 && document.cookie === ''")

	b.view("/deliveries")
	b.click("tbody a", "d")
	b.click("button", "Show the content")
	b.shows(".trouble", "Not allowed", `the scope "deliveries"`, "HTTP 403")
	b.must("(() => { document.getElementById('token-button').click(); return true })()")
	b.must("(() => { document.getElementById('token').value = 'token-of-support'; return true })()")
	b.click("dialog button", "Use token")
	b.click("button", "Show the content")
	b.shows("pre", "POST /webhooks/clip/acme?token=REDACTED")
	b.click("button", "Reprocess")
	b.shows("dialog .trouble", "Not allowed", `the scope "reprocess"`)
}
