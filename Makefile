# Two of these are the README's: demo, and test.

.PHONY: demo test check format lint docs unit ui ui-check audit bench soak images clean-models clean-images

## Tune the bundled simulated engine: needs nothing but Rust
demo:
	cargo run --release --locked --bin autotuner -- demo

## Install what the tests need and pass them all, a real engine and containers included
test:
	./scripts/test-deps.sh
	./scripts/test-all.sh

## The quick loop
check: format lint unit

format:
	cargo fmt --all --check

lint:
	cargo clippy --workspace --all-targets --locked -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet

unit:
	./scripts/run-tests.sh --workspace --locked --lib --bins

## Build the web UI into ui/dist, which is committed: needs Node.js 20.19 or newer, with npm
ui:
	cd ui && npm ci && npm run build

## What a change of the web UI must pass; ends by looking whether ui/dist is what was committed
ui-check:
	cd ui && npm ci && npm run lint && npm run types && npm test && npm run generate:check && npm run build
	@git diff --exit-code --stat ui/dist && test -z "$$(git ls-files --others ui/dist)" \
	|| { echo "error: ui/dist is not what ui/ builds; run make ui and commit what it changes there"; exit 1; }

## Licences, bans and sources of dependencies, where cargo-deny is installed
audit:
	@if command -v cargo-deny >/dev/null 2>&1; then cargo deny check bans licenses sources; \
	else echo "SKIPPED: cargo-deny is not installed (cargo install cargo-deny --locked)"; fi

## How far the load generator is from the truth that the simulated engine knows, how fast the
## service answers where much is kept, and how often a run claims a gain that is not there
bench:
	cargo build --release --locked
	./scripts/bench.sh target/release/autotuner
	./scripts/bench-load.sh target/release/autotuner
	./scripts/bench-llama.sh target/release/autotuner
	./scripts/bench-service.sh target/release/autotuner
	./scripts/bench-leases.sh || [ $$? -eq 3 ]
	./scripts/bench-jobs.sh || [ $$? -eq 3 ]
	./scripts/bench-containers.sh target/release/autotuner
	./scripts/bench-ui.sh target/release/autotuner
	cargo run --release --locked --package autotuner-core --example claims

## Kill runs, and a server, at random moments, again and again; nothing may be left or lost
soak:
	cargo build --release --locked
	./scripts/soak.sh target/release/autotuner $${ROUNDS:-100}
	AUTOTUNER_KILLS=$${KILLS:-500} cargo test --release --locked --package autotuner --test serve \
	  -- --nocapture kill::at_random_moments

## Images of the simulated engine and of the llama-server that is here, for engines in Docker
images:
	./scripts/sim-image.sh
	./scripts/llama-image.sh

clean-models:
	rm -rf models

## Remove every image that was made here, under whatever name
clean-images:
	docker image ls --filter label=inference-autotuner.image.content --format '{{.Repository}}:{{.Tag}}' \
	  | xargs --no-run-if-empty docker image rm
