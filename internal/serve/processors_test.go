package serve

import (
	"runtime"
	"testing"
)

func TestFewProcessorsGetSomeMoreUnlessSomebodyKnowsBetter(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	runtime.SetDefaultGOMAXPROCS()
	there := runtime.GOMAXPROCS(0)

	set := &process{Options: Options{Getenv: func(name string) (string, bool) { return "2", name == "GOMAXPROCS" }}}
	if set.lendProcessors(); runtime.GOMAXPROCS(0) != there {
		t.Errorf("GOMAXPROCS is %d although the environment says what it is, want %d", runtime.GOMAXPROCS(0), there)
	}
	want := there
	if there <= fewProcessors {
		want += lent
	}
	for range 2 { // a second paynorm in the process adds nothing
		unset := &process{Options: Options{Getenv: func(string) (string, bool) { return "", false }}}
		if unset.lendProcessors(); runtime.GOMAXPROCS(0) != want {
			t.Errorf("GOMAXPROCS is %d with %d processors, want %d", runtime.GOMAXPROCS(0), there, want)
		}
	}
}
