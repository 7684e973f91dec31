# Everything is done from here; `make help` lists it. Tools go to .cache and
# nothing is installed outside of this folder.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

BUF_VERSION      := 1.75.0
GRPCURL_VERSION  := v1.9.4
GOLANGCI_VERSION := v2.15.0
GOVULNCHECK_VERSION := v1.1.4
ASYNCAPI_VERSION := 6.11.1

BUF      := .cache/npm/node_modules/.bin/buf
GRPCURL  := .cache/bin/grpcurl
GOLANGCI := .cache/bin/golangci-lint
IMPORTS  := .cache/proto/.stamp
# What the tests of consumers in other languages and of the documents need.
JAVASCRIPT := .cache/javascript/.stamp
ASYNCAPI   := .cache/asyncapi/node_modules/@asyncapi/specs/schemas/3.0.0.json
GENERATED  := gen docs/providers docs/openapi.json docs/asyncapi.json docs/events.binpb
# What the protos are compared with: the last release, else the commit before.
BASE     ?= $(shell git describe --tags --abbrev=0 2>/dev/null || git rev-parse --verify --quiet HEAD~1 || echo HEAD)
FUZZTIME ?= 20s
CYCLES   ?= 20

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.PHONY: build
build: ## Build bin/paynorm
	go build -trimpath -ldflags="-s -w" -o bin/paynorm ./cmd/paynorm

.PHONY: run
run: build ## Start paynorm with the example configuration, NATS embedded; makes the example's secrets first
	go run ./tools/devsecrets -o examples/secrets
	bin/paynorm serve --config examples/paynorm.yaml

.PHONY: test
test: $(GRPCURL) $(ASYNCAPI) $(JAVASCRIPT) browser ## Run all tests, with the race detector
	go test -race -timeout 14m ./...

# The one tool that lives outside of .cache: browsers come with the system. Where
# there is none and no apt-get, the console's tests say so.
.PHONY: browser
browser: ## Install Chromium, in which the console is tested, when there is none (Debian, Ubuntu)
	@for name in "$${CHROMIUM:-chromium}" chromium-browser google-chrome google-chrome-stable chrome; do command -v "$$name" >/dev/null && exit 0; done; \
	command -v apt-get >/dev/null || exit 0; \
	sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); $$sudo apt-get update -q && $$sudo apt-get install -q --yes --no-install-recommends chromium fonts-dejavu-core

.PHONY: check
check: generated lint licenses breaking test ## Everything that CI checks

.PHONY: lint
lint: $(GOLANGCI) $(BUF) $(IMPORTS) ## Check style and architecture of Go and protobuf
	go vet ./...
	$(GOLANGCI) run ./...
	$(BUF) lint
	$(BUF) format --diff --exit-code proto

.PHONY: licenses
licenses: ## Fail on a dependency without a permissive license, or one that was changed on this machine
	go mod verify
	go run ./tools/licenses

.PHONY: vulnerabilities
vulnerabilities: ## Look up known vulnerabilities; asks vuln.go.dev, so it is not part of check
	go run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) ./...

.PHONY: fix
fix: $(GOLANGCI) $(BUF) $(IMPORTS) ## Repair what can be repaired without a person
	$(GOLANGCI) run --fix ./...
	$(BUF) format --write proto

.PHONY: generate
generate: $(BUF) $(IMPORTS) ## Generate gen/ from proto/, and what docs/ has from proto/ and the adapters
	$(BUF) generate
	$(BUF) build --as-file-descriptor-set -o .cache/image.binpb
	go run ./tools/apidocs -set .cache/image.binpb -o docs
	go run ./tools/providerdocs -o docs/providers

.PHONY: generated
generated: generate ## Fail when what is generated is not what it is made from
	@test -z "$$(git status --porcelain -- $(GENERATED))" || { git status --short -- $(GENERATED); echo "generated files are out of date: run make generate and commit"; exit 1; }

# The base is laid out as a workspace of its own, with the same imports beside it.
.PHONY: breaking
breaking: $(BUF) $(IMPORTS) ## Fail on changes that break users of the protos (BASE=…)
	rm -rf .cache/base && mkdir -p .cache/base/.cache
	git archive $(BASE) buf.yaml proto | tar -x -C .cache/base
	cp -r .cache/proto .cache/base/.cache/proto
	$(BUF) breaking --against .cache/base

.PHONY: golden
golden: ## Rewrite the golden files of the adapters; read the difference before you commit it
	go test -run 'TestConformance' $$(grep -rl --include='*_test.go' 'providertest"' services/normalizer/provider | xargs -n1 dirname | sort -u | sed 's|^|./|') ./services/normalizer/provider/providertest -golden

.PHONY: conformance
conformance: $(GRPCURL) ## Run the provider fixtures against the real binary
	go test -race -count=1 -v -run 'TestFixtures' ./e2e

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (default 20s)
	tools/fuzz.sh $(FUZZTIME)

.PHONY: crash
crash: ## Kill paynorm under load, CYCLES times (default 20), and check that nothing was lost or repeated
	go run ./crash -cycles $(CYCLES)

.PHONY: bench
bench: ## Measure throughput and latency of the whole path against a baseline
	go run ./benchmarks

.PHONY: tools
tools: $(BUF) $(GRPCURL) $(GOLANGCI) $(IMPORTS) $(ASYNCAPI) $(JAVASCRIPT) browser ## Install the tools into .cache

.PHONY: clean
clean: ## Remove what was built; data and secrets stay
	rm -rf bin .cache

$(BUF):
	npm install --prefix .cache/npm --no-save --ignore-scripts --no-audit --no-fund --loglevel=error @bufbuild/buf@$(BUF_VERSION)

# The JSON schema of AsyncAPI, which docs/asyncapi.json is checked with.
$(ASYNCAPI):
	npm install --prefix .cache/asyncapi --no-save --ignore-scripts --no-audit --no-fund --loglevel=error @asyncapi/specs@$(ASYNCAPI_VERSION)

# The example in JavaScript, with what its lock file pins.
$(JAVASCRIPT): $(addprefix examples/javascript/,subscribe.js package.json package-lock.json .npmrc)
	mkdir -p .cache/javascript && cp $^ .cache/javascript
	npm ci --prefix .cache/javascript --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(GRPCURL):
	GOBIN=$(CURDIR)/.cache/bin go install github.com/fullstorydev/grpcurl/cmd/grpcurl@$(GRPCURL_VERSION)

$(GOLANGCI):
	GOBIN=$(CURDIR)/.cache/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

# What our protos import, printed from the Go modules that go.mod pins.
$(IMPORTS): go.mod go.sum tools/protodeps/main.go
	go run ./tools/protodeps -o .cache/proto
	@touch $@
