"""All doors speak TLS where they are given a certificate, and the collector's may ask for one."""

import socket
import ssl
import threading
import warnings
from datetime import UTC, datetime
from pathlib import Path

import grpc
import httpx2
import pytest
from certificates import Authority
from doors import Doors, open_doors
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as OverGrpc
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OverHttp
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from serving import eventually

from api.app import create_app
from api.settings import ApiSettings
from app import tls
from app.addresses import Address
from app.commands.api import serving
from app.doors import listen
from app.errors import WrongSetting
from app.settings import Settings, read_settings
from collector.serve import Tls
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    # They come before what an exporter is told to trust.
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(variable, raising=False)
    return Authority(tmp_path, "authority")


def settings_of(authority: Authority, *, clients: bool = False) -> Settings:
    cert, key = authority.sign("server")
    return Settings(tls_cert=cert, tls_key=key, tls_client_ca=authority.file if clients else None)


def doors_tls(settings: Settings, stop: threading.Event) -> Tls:
    made = tls.doors_tls(settings, stop)
    assert made is not None
    return made


def call(exporter: SpanExporter) -> None:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    said = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
    usage = {"gen_ai.usage.input_tokens": 5, "gen_ai.provider.name": "openai"}
    provider.get_tracer("t").start_span("chat", attributes={**said, **usage}).end()
    provider.shutdown()


def over_http(doors: Doors, ca: Path, own: tuple[Path, Path]) -> SpanExporter:
    return OverHttp(
        endpoint=f"https://{doors.http}/v1/traces",
        certificate_file=str(ca),
        client_certificate_file=str(own[0]),
        client_key_file=str(own[1]),
    )


def credentials(ca: Path, own: tuple[Path, Path] | None) -> grpc.ChannelCredentials:
    cert, key = [file.read_bytes() for file in own] if own else [None, None]
    return grpc.ssl_channel_credentials(ca.read_bytes(), key, cert)


def connects(at: str, shown: grpc.ChannelCredentials) -> bool:
    with grpc.secure_channel(at, shown) as channel:
        try:
            asked = channel.unary_unary("/x/Y", lambda _: b"", bytes)
            asked(None, timeout=20)
        except grpc.RpcError as error:
            return error.code() == grpc.StatusCode.UNIMPLEMENTED
    return True


def test_senders_show_certificates_where_they_must(
    database: Database, authority: Authority, tmp_path: Path
) -> None:
    stop = threading.Event()
    own = authority.sign("sender")
    stranger = Authority(tmp_path / "elsewhere", "another").sign("sender")
    made = doors_tls(settings_of(authority, clients=True), stop)
    with open_doors(database, tls=made) as doors:
        call(over_http(doors, authority.file, own))
        shown = credentials(authority.file, own)
        call(OverGrpc(f"https://{doors.grpc}", credentials=shown))
        assert connects(doors.grpc, shown)
        assert doors.stored() == 2
        for wrong in (None, stranger):
            with pytest.raises(httpx2.HTTPError):
                got(doors.http, authority.file, wrong)
            assert not connects(doors.grpc, credentials(authority.file, wrong))
        with pytest.raises((ConnectionError, httpx2.HTTPError)):
            httpx2.get(f"http://{doors.http}/livez")
        assert doors.stored() == 2
        assert got(doors.http, authority.file, own).status_code == 200
    stop.set()


def got(
    at: str, ca: Path, own: tuple[Path, Path] | None = None, path: str = "/livez"
) -> httpx2.Response:
    context = ssl.create_default_context(cafile=ca)
    if own:
        context.load_cert_chain(*own)
    with httpx2.Client(verify=context, timeout=10) as client:
        return client.get(f"https://{at}{path}")


def test_nothing_older_than_tls_1_2_is_spoken(database: Database, authority: Authority) -> None:
    stop = threading.Event()
    with open_doors(database, tls=doors_tls(settings_of(authority), stop)) as doors:
        for at in (doors.http, doors.grpc):
            host, _, port = at.rpartition(":")
            for version, taken in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)):
                assert speaks(host, int(port), version, authority.file) is taken
    stop.set()


def speaks(host: str, port: int, version: ssl.TLSVersion, ca: Path) -> bool:
    context = ssl.create_default_context(cafile=ca)
    # Else this side would not even try.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.set_alpn_protocols(["h2", "http/1.1"])
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = version
    try:
        with (
            socket.create_connection((host, port), timeout=20) as line,
            context.wrap_socket(line, server_hostname=host),
        ):
            return True
    except (ssl.SSLError, ConnectionError):
        return False


def test_a_new_certificate_is_taken_without_a_restart(
    database: Database, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "_LOOK", 0.02)
    stop = threading.Event()
    settings = settings_of(authority)
    other = Authority(tmp_path / "elsewhere", "another")
    with open_doors(database, tls=doors_tls(settings, stop)) as doors:
        assert settings.tls_cert
        assert settings.tls_key
        good = settings.tls_cert.read_bytes()
        settings.tls_cert.write_text("half of it")
        threading.Event().wait(0.1)
        assert got(doors.http, authority.file).status_code == 200
        for old, new in zip(
            (settings.tls_cert, settings.tls_key), other.sign("server"), strict=True
        ):
            old.write_bytes(new.read_bytes())
        assert settings.tls_cert.read_bytes() != good
        eventually(lambda: is_known(doors.http, other.file), "the new one is shown")
    stop.set()


def is_known(at: str, ca: Path) -> bool:
    try:
        return got(at, ca).status_code == 200
    except httpx2.HTTPError:
        return False


def test_pages_over_tls_set_cookies_that_go_nowhere_else(
    database: Database, authority: Authority
) -> None:
    settings = settings_of(authority)
    app = create_app(database, ApiSettings(), lambda: datetime.now(UTC))
    listener = listen(Address("127.0.0.1", 0))
    server = serving(app, tls.server_context(settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        host, port = listener.getsockname()
        answer = got(f"{host}:{port}", authority.file, path="/sign-in")
        assert answer.status_code == 200
        assert answer.headers["set-cookie"].startswith("__Host-spanledger_form=")
        assert "Secure" in answer.headers["set-cookie"]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def test_a_pair_that_is_none_is_told_in_a_line(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = authority.sign("server")
    _, another = authority.sign("another")
    junk = tmp_path / "junk.pem"
    junk.write_text("no PEM")
    for files, why in (
        ((cert, another), "no certificate and the key that belongs to it"),
        ((junk, key), "no certificate and the key"),
        ((cert, tmp_path / "nowhere"), "TLS_KEY: .* cannot be read"),
        ((cert, None), "set both, or none"),
        ((cert, key, junk), "TLS_CLIENT_CA: .* holds no certificate"),
        ((None, None, authority.file), "set SPANLEDGER_TLS_CERT too"),
    ):
        for name, file in zip(
            ("TLS_CERT", "TLS_KEY", "TLS_CLIENT_CA"), (*files, None), strict=False
        ):
            monkeypatch.setenv(f"SPANLEDGER_{name}", "" if file is None else str(file))
        with pytest.raises(WrongSetting, match=why):
            read_settings()
