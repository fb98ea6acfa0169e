# Sets Whetstone up on Windows and starts it. Not run by its authors: Windows was not at hand.
# usage: powershell -ExecutionPolicy Bypass -File installers\windows\setup.ps1 [-Gpu cpu|cuda|vulkan]
#
# Needs Python 3.11 or newer and, to compile llama.cpp, the Visual Studio Build Tools (C++).
param([ValidateSet("", "cpu", "cuda", "vulkan")][string]$Gpu = "")
$ErrorActionPreference = "Stop"
Set-Location (Join-Path $PSScriptRoot "..\..")

function Invoke-Checked([string]$Program, [string[]]$Arguments) {
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { throw "$Program $($Arguments -join ' ') failed ($LASTEXITCODE)" }
}

$python = ".venv\Scripts\python.exe"
$stamps = ".venv\.stamps"
if (-not (Test-Path $python)) {
    Invoke-Checked "py" @("-3", "-c", "import sys; sys.exit(sys.version_info < (3, 11))")
    Invoke-Checked "py" @("-3", "-m", "venv", ".venv")
}
New-Item -ItemType Directory -Force $stamps | Out-Null

# Packages: again only when the description of the project changed.
$wanted = (Get-FileHash pyproject.toml).Hash + (Get-FileHash constraints.txt).Hash
$stamp = Join-Path $stamps "runtime"
if (-not (Test-Path $stamp) -or (Get-Content $stamp) -ne $wanted) {
    Invoke-Checked $python @("-m", "pip", "install", "-c", "constraints.txt", "--editable", ".")
    Set-Content $stamp $wanted
}

# llama.cpp for another backend: built afresh, because pip's cache knows nothing of build options.
$stamp = Join-Path $stamps "llama"
$current = if (Test-Path $stamp) { Get-Content $stamp } else { "cpu" }
if ($Gpu -and $Gpu -ne $current) {
    $env:CMAKE_ARGS = @{ cpu = ""; cuda = "-DGGML_CUDA=on"; vulkan = "-DGGML_VULKAN=on" }[$Gpu]
    Invoke-Checked $python @("-m", "pip", "install", "-c", "constraints.txt", "--no-deps",
        "--no-cache-dir", "--force-reinstall", "--no-binary", "llama-cpp-python", "llama-cpp-python")
    Set-Content $stamp $Gpu
}

Invoke-Checked $python @("installers\fetch_starter.py")
& ".venv\Scripts\whetstone.exe"
exit $LASTEXITCODE
