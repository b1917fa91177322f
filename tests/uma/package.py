"""Installs the package to a scratch folder and uses it from outside, as its users do: a driver and an embedding program, each by
CMake and by pkg-config.

usage: package.py BUILD CMAKE CLANG LLD_LINK MINGW
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

build, cmake, clang, link, mingw = sys.argv[1:6]
driver_flags = ["--target=x86_64-w64-windows-gnu", "-fms-extensions", "-fms-compatibility", "-fms-compatibility-version=19.40",
                "-fgnuc-version=12.2", "-O2", "-ffreestanding", "-isystem", f"{mingw}/include", "-isystem", f"{mingw}/include/ddk"]
DRIVER = """#include <ntddk.h>
#include <usermode_accessors.h>
DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{ return (NTSTATUS)ReadULongFromUser((ULONG *)Path + (Driver != NULL)); }
"""
HOST = """#include <uma.h>
int main(void) { return uma_start(0) < 0; }
"""
PROJECT = """cmake_minimum_required(VERSION 3.25)
project(outside C)
find_package(umaccess 0.1 REQUIRED)
add_executable(host host.c)
target_link_libraries(host PRIVATE umaccess::kernel)
foreach(arch x64 arm64)
  get_target_property(libraries umaccess::windows-${arch} INTERFACE_LINK_LIBRARIES)
  get_target_property(configuration umaccess::windows-${arch}-loadcfg INTERFACE_LINK_LIBRARIES)
  get_target_property(folders umaccess::windows-${arch} INTERFACE_INCLUDE_DIRECTORIES)
  file(WRITE ${CMAKE_BINARY_DIR}/${arch}.txt "${libraries}\\n${configuration}\\n${folders}\\n")
endforeach()
"""


def run(*command, **more):
    result = subprocess.run(command, capture_output=True, text=True, **more)
    if result.returncode:
        sys.exit(f"not ok - {' '.join(map(str, command))}\n{result.stdout}{result.stderr}")
    return result.stdout


with tempfile.TemporaryDirectory() as scratch:
    root, work = Path(scratch) / "installed", Path(scratch) / "work"
    run(cmake, "--install", build, "--prefix", root)
    work.mkdir()
    for name, text in (("driver.c", DRIVER), ("host.c", HOST), ("CMakeLists.txt", PROJECT)):
        (work / name).write_text(text)

    run(cmake, "-G", "Ninja", "-S", work, "-B", work / "build", f"-DCMAKE_PREFIX_PATH={root}")
    run(cmake, "--build", work / "build")
    run(work / "build/host")
    print("ok - a program embeds the kernel by find_package(umaccess)")

    library, configuration, folder = (work / "build/x64.txt").read_text().splitlines()
    run(clang, *driver_flags, f"-I{folder}", "-c", work / "driver.c", "-o", work / "driver.obj")
    system = Path(library).parent / "ntoskrnl.lib"
    run(link, "/nologo", "/driver", "/subsystem:native", "/entry:DriverEntry", "/machine:x64", "/nodefaultlib",
        "/include:_load_config_used", f"/out:{work}/driver.sys", work / "driver.obj", library, configuration, system)
    print("ok - a driver links with umaccess.lib by find_package(umaccess)")
    for path in (work / "build/arm64.txt").read_text().splitlines():
        if not Path(path).exists():
            sys.exit(f"not ok - {path} is named and not there")

    if not shutil.which("pkg-config"):
        print("not run: pkg-config is not installed")
        sys.exit(77)
    environment = dict(os.environ, PKG_CONFIG_PATH=f"{next(root.glob('lib*/**/pkgconfig'))}")
    flags = run("pkg-config", "--cflags", "--libs", "umaccess", env=environment).split()
    run("cc", work / "host.c", "-o", work / "host", *flags)
    flags = run("pkg-config", "--cflags", "umaccess-windows-x64", env=environment).split()
    run(clang, *driver_flags, *flags, "-c", work / "driver.c", "-o", work / "driver2.obj")
    for arch in ("x64", "arm64"):
        library = run("pkg-config", "--libs", f"umaccess-windows-{arch}", env=environment).strip()
        if not Path(library).exists():
            sys.exit(f"not ok - pkg-config names {library}, which is not there")
    print("ok - the same by pkg-config")
