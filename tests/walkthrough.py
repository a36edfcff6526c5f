#!/usr/bin/env python3
"""Does what the README says, and checks that it prints what the README shows.

Every ```sh block of README.md that directly follows a comment `<!-- expect: … -->` is run, in order and in one bash session,
against a server that this script starts in a fresh directory and stops again. A block passes when

* its last command succeeds,
* its output contains every string of the comment (separated by spaces; one that contains spaces is quoted), and
* its output contains, in the same order, every line of the ```text block that directly follows it; `…` stands for anything.

The binary is $CUSTOMER_INTEGRATION_BIN, or else the one in target/release, or else the one in target/debug.
"""

import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

# of the neighbouring modules nothing is to be left in the checkout
sys.dont_write_bytecode = True
from support.service import clean_environment  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
BLOCKS_SECONDS = 120
STOP_SECONDS = 30
BLOCK = re.compile(
    r"^<!-- expect:(?P<expect>.*?)-->\n```sh\n(?P<code>.*?)^```\n(?:\n```text\n(?P<shown>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
EXPECT = re.compile(r"^<!-- expect:", re.MULTILINE)


@dataclass
class Block:
    line: int
    expect: list[str]
    code: str
    shown: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        commands = [line for line in self.code.splitlines() if line.strip() and not line.startswith("#")]
        return f"README.md:{self.line}: {(commands or ['(empty)'])[-1].strip()[:90]}"


def read_blocks(readme: Path) -> list[Block]:
    text = readme.read_text(encoding="utf-8")
    blocks = [
        Block(
            line=text.count("\n", 0, match.start("code")) + 1,
            expect=split_words(match["expect"]),
            code=match["code"],
            shown=[line for line in (match["shown"] or "").splitlines() if line.strip()],
        )
        for match in BLOCK.finditer(text)
    ]
    if len(blocks) != len(EXPECT.findall(text)):
        raise RuntimeError("an expect comment of README.md is not directly followed by a ```sh block")
    if not blocks:
        raise RuntimeError("README.md has no block to run")
    return blocks


def split_words(text: str) -> list[str]:
    """Words separated by spaces; a word that begins with a single quote, or with a double quote and holds a space, is quoted."""
    words = re.findall(r"'[^']*'(?=\s|$)|\"[^\"]*\"(?=\s|$)|\S+", text)
    quoted = lambda word: len(word) > 1 and word[0] == word[-1] and (word[0] == "'" or (word[0] == '"' and " " in word))
    return [word[1:-1] if quoted(word) else word for word in words]


def find_binary() -> Path:
    named = os.environ.get("CUSTOMER_INTEGRATION_BIN")
    built = [ROOT / "target" / profile / "customer-integration" for profile in ("release", "debug")]
    for path in [Path(named)] if named else built:
        if path.is_file():
            return path.resolve()
    raise RuntimeError(f"no binary at {named or ' or '.join(map(str, built))}; run `cargo build` first")


class Server:
    """`serve --demo` on a free port, in a directory of its own."""

    def __init__(self, binary: Path, directory: Path) -> None:
        self.environment = clean_environment({})
        self.log = directory / "server.log"
        self.exports: dict[str, str] = {}
        self.greeted = threading.Event()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [binary, "serve", "--demo"],
                cwd=directory,
                env={**self.environment, "BIND_ADDRESS": "127.0.0.1:0"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
            )
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        """Reads to the end, so that the server never waits for a reader."""
        for line in self.process.stdout:
            if match := re.match(r"export (BASE|TOKEN)=(\S+)$", line):
                self.exports[match[1]] = match[2]
                if len(self.exports) == 2:
                    self.greeted.set()
        self.greeted.set()

    def wait(self) -> dict[str, str]:
        if not self.greeted.wait(START_SECONDS) or len(self.exports) < 2:
            raise RuntimeError(f"the server did not print BASE and TOKEN; its log:\n{self.log.read_text(errors='replace')}")
        return self.exports

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def run_blocks(blocks: list[Block], directory: Path, environment: dict[str, str]) -> list[str | None]:
    """Why each block failed, or None; one bash session for all of them."""
    mark = secrets.token_hex(16)
    script = ["set -u"]
    for number, block in enumerate(blocks):
        (directory / f"block-{number}.sh").write_text(block.code, encoding="utf-8")
        script.append(f"source ./block-{number}.sh; printf '\\n%s %d\\n' {mark} $?")
    (directory / "session.sh").write_text("\n".join(script) + "\n", encoding="utf-8")
    output = directory / "session.out"
    with output.open("wb") as out:
        bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "session.sh"],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            bash.wait(BLOCKS_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            if bash.poll() is None:
                os.killpg(bash.pid, signal.SIGKILL)
                bash.wait()
    text = output.read_text(encoding="utf-8", errors="replace").replace("\r", "")
    parts = re.split(rf"\n{mark} (\d+)\n", text)
    outputs, statuses = parts[0::2], parts[1::2]
    failures: list[str | None] = []
    for number, block in enumerate(blocks):
        if number < len(statuses):
            failures.append(judge(block, outputs[number], int(statuses[number])))
        elif number == len(statuses):
            failures.append(f"the session ended or hung here\n{indent(outputs[-1])}")
        else:
            failures.append("not run, since the session ended before")
    return failures


def judge(block: Block, output: str, status: int) -> str | None:
    reasons = [f"exit status {status}"] if status else []
    reasons += [f"expected, but not printed: {word}" for word in block.expect if word not in output]
    lines = iter(output.splitlines())
    for shown in block.shown:
        pattern = ".*".join(map(re.escape, shown.rstrip().split("…")))
        if not any(re.fullmatch(pattern, line.rstrip()) for line in lines):
            reasons.append(f"shown, but not printed (in this order): {shown}")
            break
    return "\n".join([*reasons, "it printed:", indent(output)]) if reasons else None


def indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.strip().splitlines())


def main() -> int:
    # a polite end for the server also when this script is told to stop
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        blocks, binary = read_blocks(ROOT / "README.md"), find_binary()
    except RuntimeError as error:
        print(f"walkthrough: {error}")
        print("0 passed, 0 failed")
        return 1
    with tempfile.TemporaryDirectory(prefix="walkthrough-") as temporary:
        directory = Path(temporary)
        server = Server(binary, directory)
        try:
            exports = server.wait()
            # requests to the server on this machine go straight to it, whatever proxy is configured
            environment = {**server.environment, **exports, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
            failures = run_blocks(blocks, directory, environment)
        except RuntimeError as error:
            print(f"walkthrough: {error}")
            failures = ["not run, since the server did not start"] * len(blocks)
        finally:
            server.stop()
    for block, failure in zip(blocks, failures, strict=True):
        print(f"{'FAIL' if failure else 'ok  '} {block.title}")
        if failure:
            print(indent(failure))
    failed = sum(failure is not None for failure in failures)
    print(f"{len(blocks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
