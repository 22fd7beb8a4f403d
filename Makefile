SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

TOOLS := bin/tools
# The packages whose tests run again under the race detector: where goroutines share something.
RACE := $(wildcard $(addprefix services/internal/,clock discovery fleet host id idempotency rpcclient rpcserver sqldb telemetry))

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

.PHONY: build
build: ## build bin/huhang
	CGO_ENABLED=0 go build -o bin/huhang ./services/cmd/huhang

.PHONY: run
run: build ## run the whole line on this machine (ARGS="...")
	bin/huhang dev $(ARGS)

ENGINE ?= $(firstword $(notdir $(shell command -v docker podman buildah)))
.PHONY: image
image: build ## build an image of bin/huhang with docker, podman or buildah (ENGINE=, IMAGE=)
	@[ -n "$(ENGINE)" ] || { echo "image: no docker, podman or buildah here: install one, or name another by ENGINE=" >&2; exit 1; }
	mkdir -p bin/image && cp bin/huhang deploy/image/Containerfile bin/image/
	$(ENGINE) build -t $(or $(IMAGE),localhost/huhang) -f bin/image/Containerfile bin/image

.PHONY: example
example: build ## a partner hospital's own client on a line of its own: finds its offer over mutual TLS, answers it, follows the feed
	tools/example

.PHONY: test
test: ## run every test, on SQLite and on a PostgreSQL of its own
	tools/with-promtool tools/with-shells tools/with-postgres tools/with-chromium go test -count=1 -timeout 14m ./gen/... ./services/... ./docs/partner/...

.PHONY: race
race: ## run the tests of what is concurrent under the race detector
	CGO_ENABLED=1 tools/with-postgres go test -race -count=1 -timeout 6m $(addsuffix /...,$(addprefix ./,$(RACE)))

.PHONY: bench
bench: build ## take the figures (BENCH=name takes one, ARGS="-h" lists them)
	CGO_ENABLED=0 go build -o bin/bench ./services/bench
	tools/with-postgres bin/bench $(ARGS) $(BENCH)

SOAK ?= 10m
.PHONY: soak
soak: ## run the line under load and faults for a while (SOAK=10m)
	HUHANG_SOAK=$(SOAK) tools/with-postgres go test -tags soak -run Soak -count=1 -timeout 0 -p 1 -v ./services/...

.PHONY: gen
gen: $(TOOLS)/buf $(TOOLS)/plugins.built third_party/proto/.printed ## generate gen/ from proto/
	tools/generate

.PHONY: gen-check
gen-check: gen ## fail when gen/ is not what proto/ generates
	git diff --exit-code -- gen
	@new=$$(git ls-files --others --exclude-standard -- gen); [ -z "$$new" ] || { echo "gen-check: not committed: $$new" >&2; exit 1; }
	cd gen && GOWORK=off go mod tidy -diff

.PHONY: lint
lint: $(TOOLS)/buf $(TOOLS)/golangci-lint third_party/proto/.printed ## check the style of Go and proto, import rules and file lengths
	$(TOOLS)/buf lint
	$(TOOLS)/buf format --diff --exit-code proto
	tools/check-length
	cd services && ../$(TOOLS)/golangci-lint run --config ../.golangci.yml ./...
	cd docs/partner && ../../$(TOOLS)/golangci-lint run --config ../../.golangci.yml ./...
	cd tools/plugins && GOWORK=off ../../$(TOOLS)/golangci-lint run --config ../../.golangci.yml ./...

.PHONY: fmt
fmt: $(TOOLS)/buf $(TOOLS)/golangci-lint third_party/proto/.printed ## format Go and proto
	$(TOOLS)/buf format --write proto
	cd services && ../$(TOOLS)/golangci-lint fmt --config ../.golangci.yml ./...

.PHONY: breaking
breaking: $(TOOLS)/buf third_party/proto/.printed ## fail when proto/ breaks its callers (BASE=commit)
	BASE=$(BASE) tools/breaking

.PHONY: standalone
standalone: ## build each module without the workspace, as images do
	cd gen && GOWORK=off go build ./...
	cd services && GOWORK=off go build ./...
	cd docs/partner && GOWORK=off go build -o /dev/null .

# Each tool is pinned in a module of its own, outside the workspace, and rebuilt only when its pins change.
$(TOOLS)/buf: tools/buf/go.mod tools/buf/go.sum
	cd tools/buf && GOWORK=off CGO_ENABLED=0 go build -o ../../$@ github.com/bufbuild/buf/cmd/buf

$(TOOLS)/golangci-lint: tools/lint/go.mod tools/lint/go.sum
	cd tools/lint && GOWORK=off CGO_ENABLED=0 go build -o ../../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(TOOLS)/plugins.built: tools/plugins/go.mod tools/plugins/go.sum $(wildcard tools/plugins/*/*.go)
	@mkdir -p $(TOOLS)
	cd tools/plugins && GOWORK=off CGO_ENABLED=0 go build -o ../../$(TOOLS)/ tool ./protodeps
	@touch $@

third_party/proto/.printed: $(TOOLS)/plugins.built
	rm -rf third_party/proto
	$(TOOLS)/protodeps third_party/proto
	@touch $@
