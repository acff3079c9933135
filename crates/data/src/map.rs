//! Files mapped into memory. The one place of this crate with `unsafe`.

use std::fs::File;
use std::ops::Deref;
use std::path::Path;

use electra_store::io;

use crate::Error;

/// A file mapped into memory, read only. [`on_lost_shard`] knows of it.
#[derive(Debug)]
pub(crate) struct Map {
    bytes: memmap2::Mmap,
    #[cfg(unix)]
    watched: lost::Watched,
}

impl Map {
    /// Maps the whole file; `path` is what messages name.
    #[allow(unsafe_code)]
    pub(crate) fn new(path: &Path, file: &File) -> Result<Self, Error> {
        // SAFETY: the bytes of a map change when another process writes to the file. Shards are written once,
        // under a temporary name, and never in place; a program that overwrites one all the same makes reads
        // give other bytes (caught by the block's checksum unless it was checked before), and one that cuts it
        // short makes them fail with SIGBUS, which [`on_lost_shard`] answers. A reader that could not be disturbed
        // would need a copy of the corpus in memory, which is what the map is for avoiding.
        let bytes = unsafe { memmap2::Mmap::map(file) }.map_err(io(path, "mapping it into memory"))?;
        Ok(Self {
            #[cfg(unix)]
            watched: lost::Watched::new(path, &bytes),
            bytes,
        })
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(unix)]
impl Drop for Map {
    fn drop(&mut self) {
        // Before its addresses are another's.
        self.watched.end();
    }
}

/// Calls `answer` when the bytes of an opened [`Shard`](crate::shard::Shard) cannot be had any more, because another program has
/// cut the file short or the disk fails. The system tells it by the signal SIGBUS, which ends a program without a word.
///
/// For the whole process, once; a later call changes nothing. `answer` runs on a thread of its own. The thread that
/// read the shard waits for ever, so `answer` should end the program. A SIGBUS that is of no shard is answered as before.
/// Does nothing where there are no signals.
///
/// # Errors
/// If the system refuses the thread or the handler.
pub fn on_lost_shard(answer: impl FnOnce(Error) + Send + 'static) -> std::io::Result<()> {
    #[cfg(unix)]
    return lost::on_lost(answer);
    #[cfg(not(unix))]
    {
        drop(answer);
        Ok(())
    }
}

#[cfg(unix)]
mod lost {
    use std::fs::metadata;
    use std::io::{self, Read};
    use std::os::fd::IntoRawFd;
    use std::path::{Path, PathBuf};
    use std::ptr;
    use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicUsize, Ordering};
    use std::sync::{Mutex, Once, PoisonError};

    use crate::Error;

    /// An address of no map: the place may be taken.
    const FREE: usize = 0;
    /// Another: somebody has taken the place and fills it in.
    const TAKEN: usize = 1;

    /// Where a map lies. Places are never freed, so that a signal's handler may walk the list at any instant.
    #[derive(Debug)]
    struct Place {
        start: AtomicUsize,
        length: AtomicUsize,
        path: Mutex<PathBuf>,
        next: Option<&'static Self>,
    }

    /// The newest place.
    static PLACES: AtomicPtr<Place> = AtomicPtr::new(ptr::null_mut());
    /// The end of the pipe that the handler writes to.
    static TELL: AtomicI32 = AtomicI32::new(-1);
    static ONCE: Once = Once::new();

    /// A map that the handler knows.
    #[derive(Debug)]
    pub(super) struct Watched(&'static Place);

    impl Watched {
        pub(super) fn new(path: &Path, bytes: &[u8]) -> Self {
            let place = take_place();
            path.clone_into(&mut place.path.lock().unwrap_or_else(PoisonError::into_inner));
            place.length.store(bytes.len(), Ordering::Relaxed);
            place.start.store(bytes.as_ptr() as usize, Ordering::Release);
            Self(place)
        }

        pub(super) fn end(&self) {
            self.0.start.store(FREE, Ordering::Release);
        }
    }

    #[allow(unsafe_code)]
    fn newest() -> Option<&'static Place> {
        // SAFETY: null or a place, which was whole before it was in the list and is never freed.
        unsafe { PLACES.load(Ordering::Acquire).as_ref() }
    }

    fn places() -> impl Iterator<Item = &'static Place> {
        std::iter::successors(newest(), |place| place.next)
    }

    /// A place for the caller alone: one that was given up, or a new one.
    fn take_place() -> &'static Place {
        let take = |place: &&Place| {
            place.start.compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_ok()
        };
        if let Some(place) = places().find(take) {
            return place;
        }
        static ADDING: Mutex<()> = Mutex::new(());
        let _adding = ADDING.lock().unwrap_or_else(PoisonError::into_inner);
        let place = Box::leak(Box::new(Place {
            start: AtomicUsize::new(TAKEN),
            length: AtomicUsize::new(0),
            path: Mutex::default(),
            next: newest(),
        }));
        PLACES.store(place, Ordering::Release);
        place
    }

    pub(super) fn on_lost(answer: impl FnOnce(Error) + Send + 'static) -> io::Result<()> {
        let mut result = Ok(());
        ONCE.call_once(|| result = install(answer));
        result
    }

    #[allow(unsafe_code)]
    fn install(answer: impl FnOnce(Error) + Send + 'static) -> io::Result<()> {
        let (mut told, tell) = io::pipe()?;
        std::thread::Builder::new().name("lost-shards".to_owned()).spawn(move || {
            let mut address = [0; size_of::<usize>()];
            if told.read_exact(&mut address).is_ok() {
                let address = usize::from_ne_bytes(address);
                let place = places().find(|&place| ptr::from_ref(place).addr() == address);
                answer(place.expect("an address of a place").error());
            }
        })?;
        TELL.store(tell.into_raw_fd(), Ordering::Release);
        // SAFETY: the structure is whole, and the handler does only what a signal's handler may.
        let installed = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handle as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigemptyset(&raw mut action.sa_mask);
            libc::sigaction(libc::SIGBUS, &raw const action, ptr::null_mut())
        };
        if installed == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Tells the thread that waits which place it was, and keeps this one from going on.
    #[allow(unsafe_code)]
    extern "C" fn handle(signal: libc::c_int, information: *mut libc::siginfo_t, _: *mut libc::c_void) {
        // SAFETY: the system hands over a valid structure, whose address is set for this signal.
        let address = unsafe { (*information).si_addr() }.addr();
        let holds = |place: &&Place| {
            let start = place.start.load(Ordering::Acquire);
            start > TAKEN && address.wrapping_sub(start) < place.length.load(Ordering::Relaxed)
        };
        let Some(place) = places().find(holds) else {
            // SAFETY: both may be called here. The signal comes back when the handler has returned.
            unsafe {
                libc::signal(signal, libc::SIG_DFL);
                libc::raise(signal);
            }
            return;
        };
        let told = ptr::from_ref(place).addr().to_ne_bytes();
        // SAFETY: both may be called here, and the bytes are as many as are said.
        unsafe {
            libc::write(TELL.load(Ordering::Acquire), told.as_ptr().cast(), told.len());
            loop {
                libc::pause();
            }
        }
    }

    impl Place {
        /// What became of the file.
        fn error(&self) -> Error {
            let path = self.path.lock().unwrap_or_else(PoisonError::into_inner);
            let (had, has) =
                (self.length.load(Ordering::Relaxed) as u64, metadata(&*path).map(|now| now.len()));
            match has {
                Ok(has) if has < had => {
                    let what = format!(
                        "was cut from {had} to {has} bytes while it was read; expected a file that stays as it is"
                    );
                    Error::Format { path: path.clone(), what }
                }
                _ => electra_store::io(&path, "reading it through a memory map")(
                    io::Error::from_raw_os_error(libc::EIO),
                )
                .into(),
            }
        }
    }
}
