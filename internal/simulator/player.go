package simulator

import (
	"fmt"
	"strings"
)

// Case is a webhook that a provider can be made to send.
type Case struct {
	Name  string // for example "refund-approved"
	Title string // what happened, for people
}

// player is a provider as the simulator plays it.
type player struct {
	id        string
	standard  string // the case that is sent when none is named
	scenarios []scenario
	payment   func(random) string               // a fresh ID in the provider's form
	account   func(merchant string) string      // the merchant's account when the configuration expects none
	headers   func(account string) headerValues // beside content type and credentials
}

// headerValues are headers by canonical name.
type headerValues map[string]string

// scenario is a case and the body that it sends, as JSON is made of it.
type scenario struct {
	name  string
	title string
	body  func(moment) any
}

func players() []player {
	return []player{clip(), aciOPP(), qiTech(), incode(), singleView()}
}

// Providers lists the IDs of the providers that can be played.
func Providers() []string {
	var ids []string
	for _, p := range players() {
		ids = append(ids, p.id)
	}
	return ids
}

// Cases lists what a provider can send, in the order of a payment's life. It is
// empty for an unknown provider.
func Cases(providerID string) []Case {
	p, err := findPlayer(providerID)
	if err != nil {
		return nil
	}
	var cases []Case
	for _, s := range p.scenarios {
		cases = append(cases, Case{Name: s.name, Title: s.title})
	}
	return cases
}

// DefaultCase is the case that is sent when none is named: "paid", or "verified" for Incode.
func DefaultCase(providerID string) string {
	p, err := findPlayer(providerID)
	if err != nil {
		return ""
	}
	return p.standard
}

func findPlayer(id string) (player, error) {
	for _, p := range players() {
		if p.id == id {
			return p, nil
		}
	}
	return player{}, fmt.Errorf("unknown provider %q; known are %s", id, strings.Join(Providers(), ", "))
}

func (p player) names() []string {
	var list []string
	for _, s := range p.scenarios {
		list = append(list, s.name)
	}
	return list
}

func noHeaders(string) headerValues { return nil }
