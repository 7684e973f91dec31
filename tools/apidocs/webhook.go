package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/providers"
)

// webhook describes the route that providers call. What they are answered is
// what their adapters say.
func webhook() object {
	return object{
		{"tags", []string{"Webhooks"}},
		{"operationId", "IngestDelivery"},
		{"summary", "Takes a webhook of a payment provider"},
		{"description", "Any content type and any bytes. The body is passed on byte for byte and is neither parsed nor changed, because signatures cover raw bytes. " +
			"How a webhook is authenticated depends on the provider: by a secret in the query, a signature, an encryption, a bearer token, a header.\n\n" +
			"2xx means durable: the webhook is on disk, or on a quorum, before the answer begins. Whatever cannot be understood is kept as well and is answered the same way. " +
			"No answer but 2xx says that the webhook was kept; send it again after 503."},
		{"parameters", append(endpointParameters(), object{
			{"name", "token"}, {"in", "query"},
			{"description", "The secret, for endpoints with url_token."},
			{"schema", object{{"type", "string"}}},
		})},
		{"requestBody", object{
			{"description", "The webhook as the provider sends it. At most http.max_body_bytes, 1 MiB unless configured otherwise."},
			{"required", true},
			{"content", object{{"*/*", object{{"schema", object{}}}}}},
		}},
		{"responses", append(acknowledgements(), refusals([]refusal{
			{400, "The webhook cannot be decoded before it is authenticated (reason UNDECODABLE), or its body was cut off."},
			{401, "The webhook is not authentic (reason NOT_AUTHENTIC)."},
			{404, "No such endpoint is configured."},
			{405, "Only POST is taken."},
			{408, "The body came too slowly."},
			{413, "The body is over the limit. No retry will make it smaller."},
			{414, "The query is longer than 8192 bytes."},
			{431, "There are more than 256 header lines, or they are too long."},
			{503, "The webhook is not durable, or too many are in work. Send it again after Retry-After."},
		})...)},
	}
}

// token describes the token endpoint.
func token() object {
	return object{
		{"tags", []string{"Webhooks"}},
		{"operationId", "IssueToken"},
		{"summary", "Hands out a bearer token for webhooks (OAuth 2.0 client credentials)"},
		{"description", "For providers that authenticate with a token of ours (RFC 6749, section 4.4). Send the token with each webhook as Authorization: Bearer."},
		{"security", []object{{{"clientCredentials", []string{}}}}},
		{"parameters", endpointParameters()},
		{"requestBody", object{
			{"required", true},
			{"content", object{{"application/x-www-form-urlencoded", object{{"schema", object{
				{"type", "object"},
				{"properties", object{{"grant_type", object{{"type", "string"}, {"enum", []string{"client_credentials"}}}}}},
				{"required", []string{"grant_type"}},
			}}}}}},
		}},
		{"responses", append(object{{"200", content("A token.", "application/json", object{
			{"type", "object"},
			{"properties", object{
				{"access_token", object{{"type", "string"}}},
				{"token_type", object{{"type", "string"}, {"enum", []string{"Bearer"}}}},
				{"expires_in", object{{"type", "integer"}, {"description", "Seconds."}}},
			}},
			{"required", []string{"access_token", "token_type", "expires_in"}},
		})}}, refusals([]refusal{
			{400, "grant_type is missing or another one."},
			{401, "Client ID or secret is wrong."},
			{404, "No such endpoint is configured, or it hands out no tokens."},
			{405, "Only POST is taken."},
			{413, "The form is longer than 16 KiB."},
			{503, "Too many requests are in work. Try again after Retry-After."},
		})...)},
	}
}

func endpointParameters() []object {
	name := func(id, description string) object {
		return object{
			{"name", id}, {"in", "path"}, {"required", true}, {"description", description},
			{"schema", object{{"type", "string"}, {"pattern", "^[a-z0-9][a-z0-9-]{0,62}$"}}},
		}
	}
	return []object{
		name("provider", "The provider's ID: "+strings.Join(providerIDs(), ", ")+"."),
		name("merchant", "The merchant's ID, as configured."),
	}
}

func providerIDs() (ids []string) {
	for _, a := range providers.All() {
		ids = append(ids, a.Describe().ID)
	}
	return ids
}

// acknowledgements are the successful answers: each provider expects its own.
func acknowledgements() (responses object) {
	byStatus := map[int][]provider.Descriptor{}
	for _, a := range providers.All() {
		d := a.Describe()
		byStatus[d.Acknowledgement.Status] = append(byStatus[d.Acknowledgement.Status], d)
	}
	for _, status := range slices.Sorted(maps.Keys(byStatus)) {
		text, media := "The webhook is durable.", object{}
		for _, d := range byStatus[status] {
			if d.Acknowledgement.Body == "" {
				text += fmt.Sprintf(" %s gets no body.", d.ID)
				continue
			}
			text += fmt.Sprintf(" %s gets %s.", d.ID, d.Acknowledgement.Body)
			media = object{{d.Acknowledgement.ContentType, object{{"schema", object{}}}}}
		}
		response := object{{"description", text}}
		if len(media) > 0 {
			response = response.with("content", media)
		}
		responses = responses.with(fmt.Sprint(status), response)
	}
	return responses
}

type refusal struct {
	status int
	why    string
}

func refusals(list []refusal) (responses object) {
	for _, r := range list {
		response := problemResponse(r.why)
		if r.status == http.StatusServiceUnavailable {
			response = response.with("headers", object{{"Retry-After", object{
				{"description", "Seconds to wait."}, {"schema", object{{"type", "integer"}}},
			}}})
		}
		responses = responses.with(fmt.Sprint(r.status), response)
	}
	return responses.with("default", ref("responses/Problem"))
}
