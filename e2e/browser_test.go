package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// chromium finds a browser of the Chromium family. Where it is not in PATH under
// one of the usual names, CHROMIUM names it.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	t.Fatal("no Chromium is found, and the console is tested in one: install it (on Debian and Ubuntu: apt-get install --yes chromium), or set CHROMIUM to its path")
	return ""
}

// browser is one tab of a headless Chromium.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string // what the page wrote to the console, but for failed requests
}

// newBrowser starts a Chromium that ends with the test. The test fails when a page
// throws, writes a warning or an error, or breaks its content security policy.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:len(chromedp.DefaultExecAllocatorOptions):len(chromedp.DefaultExecAllocatorOptions)],
		chromedp.ExecPath(chromium(t)))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to run as root with it
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeTab := chromedp.NewContext(allocator)
	b := &browser{t: t, ctx: ctx}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // the browser lives as long as this context
		t.Fatal(err)
	}
	b.size(1280, 860)
	listening := make(chan struct{})
	messages := chromedp.Console(ctx)
	go func() {
		defer close(listening)
		for m, err := range messages {
			if err != nil {
				return
			}
			b.hear(m)
		}
	}()
	t.Cleanup(func() {
		closeTab()
		<-listening
		stop()
		for _, c := range b.complaints {
			t.Errorf("the page complains: %s", c)
		}
	})
	return b
}

// hear keeps what the page complains of. That a request failed is shown to the
// reader and is no complaint.
func (b *browser) hear(m chromedp.ConsoleMessage) {
	bad := m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning || m.Type == chromedp.ConsoleException
	if !bad || m.Source == "network" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, fmt.Sprintf("%s %s: %s", m.Source, m.Type, m.Text))
}

func (b *browser) do(action chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, action); err != nil {
		b.t.Fatal(err)
	}
}

// size gives the page width and height in CSS pixels.
func (b *browser) size(width, height int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height))
}

// press types keys, as a keyboard does: a page that takes a key for itself does not
// get its character typed.
func (b *browser) press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys, func(p *input.DispatchKeyEventParams) {
		if p.Type == kb.KeyDown {
			p.Type = kb.KeyRawDown
		}
	}))
}

// open loads an address anew.
func (b *browser) open(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate("about:blank"))
	b.do(chromedp.Navigate(address))
}

// eval evaluates JavaScript, waits for its promise, and returns the value as JSON.
func (b *browser) eval(expression string) (string, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte](expression, chromedp.EvalAwaitPromise))
	return string(out), err
}

// must evaluates JavaScript that has to be true, once.
func (b *browser) must(expression string) {
	b.t.Helper()
	if got, err := b.eval(expression); err != nil || got != "true" {
		b.t.Errorf("%s is %s (%v)", expression, got, err)
	}
}

// wait waits until JavaScript is true.
func (b *browser) wait(expression string) {
	b.t.Helper()
	eventually(b.t, func() error {
		got, err := b.eval(expression)
		if err != nil || got == "true" {
			return err
		}
		text, _ := b.eval("document.body.innerText")
		return fmt.Errorf("%s is %s on a page with the text %s", expression, got, tail(text, 1500))
	})
}

// shows waits until an element that selector selects has all the words in its text.
func (b *browser) shows(selector string, words ...string) {
	b.t.Helper()
	list, err := json.Marshal(words)
	if err != nil {
		b.t.Fatal(err)
	}
	b.wait(fmt.Sprintf("[...document.querySelectorAll(%q)].some((e) => %s.every((w) => e.innerText.includes(w)))", selector, list))
}

// click clicks the first element that selector selects and whose text has word.
func (b *browser) click(selector, word string) {
	b.t.Helper()
	b.shows(selector, word)
	b.must(fmt.Sprintf("(() => { [...document.querySelectorAll(%q)].find((e) => e.innerText.includes(%q)).click(); return true })()", selector, word))
}

// view leads to an address within the console.
func (b *browser) view(hash string) {
	b.t.Helper()
	b.must(fmt.Sprintf("(() => { location.hash = %q; return true })()", hash))
	b.wait("!document.querySelector('.loading')")
}

// fits fails the test when the page is wider than its window, or something in it
// is cut off at the right.
func (b *browser) fits(where string) {
	b.t.Helper()
	wide, err := b.eval(`[...document.querySelectorAll('body *')].filter((e) => !e.closest('.unseen, thead, .scroll, pre, .brand')).
		filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.tagName + '.' + e.className).slice(0, 3).join(' ')
		+ (document.documentElement.scrollWidth > innerWidth ? ' scrolls' : '')`)
	if err != nil || strings.Trim(wide, `"`) != "" {
		b.t.Errorf("%s does not fit: %s (%v)", where, wide, err)
	}
}
